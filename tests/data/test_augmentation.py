import numpy as np
import pytest

from lq_fda._keras import tf
from lq_fda.data.augmentation import branch, branches, crop_and_flip, padding_of, random_area

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 24, 32, 3), dtype=np.uint8)
DOWN, ACROSS = padding_of(24), padding_of(32)
# Both ends of the range, the middle, and two in between.
OFFSETS = np.array([(0, 0), (2 * DOWN, 2 * ACROSS), (DOWN, ACROSS), (1, 7), (5, 0)], np.int32)
FLIPS = np.array([False, True, True, False, True])


def oracle(images, offsets, flips):
    """One image at a time, with numpy's own padding and slicing."""
    results = []
    for image, (top, left), flip in zip(images, offsets, flips, strict=True):
        padded = np.pad(image, ((DOWN, DOWN), (ACROSS, ACROSS), (0, 0)))
        cut = padded[top : top + 24, left : left + 32]
        results.append(cut[:, ::-1] if flip else cut)
    return np.stack(results)


def test_crop_and_flip_equals_padding_and_slicing():
    assert (DOWN, ACROSS) == (3, 4)
    np.testing.assert_array_equal(crop_and_flip(IMAGES, OFFSETS, FLIPS), oracle(IMAGES, OFFSETS, FLIPS))


def test_each_part_alone_and_none():
    centre = np.tile([DOWN, ACROSS], (5, 1))
    np.testing.assert_array_equal(crop_and_flip(tf.constant(IMAGES), None, FLIPS), oracle(IMAGES, centre, FLIPS))
    np.testing.assert_array_equal(
        crop_and_flip(tf.constant(IMAGES), OFFSETS, None), oracle(IMAGES, OFFSETS, np.zeros(5, bool))
    )
    np.testing.assert_array_equal(crop_and_flip(IMAGES, None, None), IMAGES)


def test_branches_are_the_branch_of_each_number():
    key = tf.constant((3, 4), tf.int64)
    np.testing.assert_array_equal(branches(key, tf.constant((0, 7, 9))), [branch(key, n) for n in (0, 7, 9)])
    assert len({tuple(branch(branch(key, a), b).numpy()) for a in range(8) for b in range(8)}) == 64


def gradient(height, width):
    """An image whose red is the row and whose green is the column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, 128)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "encode", [tf.io.encode_png, lambda x: tf.io.encode_jpeg(x, quality=100, chroma_downsampling=False)]
)
def test_a_random_area_lies_in_the_image_and_follows_its_key(encode):
    encoded = encode(gradient(200, 250))
    keys = [tf.constant((0, number), tf.int64) for number in range(20)]
    areas = [random_area(encoded, key, 16, 16).numpy() for key in keys]
    for area in areas:
        assert area.shape == (16, 16, 3) and area.dtype == np.float32
        # A cut that is resized is still a gradient, of rows and of columns.
        assert (np.diff(area[..., 0], axis=0) > 0).all() and (np.diff(area[..., 1], axis=1) > 0).all()
    np.testing.assert_array_equal(areas[3], random_area(encoded, keys[3], 16, 16))
    assert len({area.tobytes() for area in areas}) == 20


def test_a_jpeg_is_cut_where_a_png_is():
    image, key = gradient(200, 250), tf.constant((1, 2), tf.int64)
    jpeg = tf.io.encode_jpeg(image, quality=100, chroma_downsampling=False)
    from_png, from_jpeg = (random_area(e, key, 16, 16).numpy() for e in (tf.io.encode_png(image), jpeg))
    # JPEG rounds colours by a few levels; the next cut that could be mistaken for it differs by more.
    np.testing.assert_allclose(from_png, from_jpeg, atol=5)
