import math
import struct

import numpy as np
import pytest

from lq_fda.artifacts import Preprocessing
from lq_fda.data import images, normalize, preprocess
from lq_fda.data.preprocessing import specification
from lq_fda.errors import LqFdaError

SPEC = specification(32, 32, mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))


def float32(value: float) -> float:
    """Rounds a double to float32, as a `float` in C, Java or Kotlin holds it."""
    return struct.unpack("f", struct.pack("f", value))[0]


def one_value(image: np.ndarray, spec: Preprocessing, y: int, x: int, channel: int) -> float:
    """The manifest's arithmetic for one value, in plain Python: every operation rounded to float32."""
    rows, columns = image.shape[:2]
    ratio = min(rows / spec.height, columns / spec.width) * spec.crop
    cut_rows = min(max(math.floor(ratio * spec.height + 0.5), 1), rows)
    cut_columns = min(max(math.floor(ratio * spec.width + 0.5), 1), columns)
    top, left = (rows - cut_rows) // 2, (columns - cut_columns) // 2

    def between(position: int, size: int, target: int) -> tuple[int, int, float]:
        source = float32(float32(float32(position + 0.5) * float32(size / target)) - 0.5)
        floor = math.floor(source)
        return max(floor, 0), min(math.ceil(source), size - 1), float32(source - floor)

    def blend(first: float, second: float, share: float) -> float:
        return float32(first + float32(float32(second - first) * share))

    low_y, high_y, t_y = between(y, cut_rows, spec.height)
    low_x, high_x, t_x = between(x, cut_columns, spec.width)

    def pixel(row: int, column: int) -> float:
        return float(image[top + row, left + column, channel])

    upper = blend(pixel(low_y, low_x), pixel(low_y, high_x), t_x)
    lower = blend(pixel(high_y, low_x), pixel(high_y, high_x), t_x)
    byte = math.floor(float32(blend(upper, lower, t_y) + 0.5))
    return float32(float32(byte * spec.scale[channel]) + spec.offset[channel])


def random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


SHAPES = [(32, 32), (64, 64), (33, 47), (47, 33), (31, 200), (8, 8), (1, 1), (1, 9), (500, 375)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("crop", [1.0, 0.875])
def test_equals_the_arithmetic_written_out(shape, crop):
    spec = Preprocessing(height=24, width=32, crop=crop, scale=SPEC.scale, offset=SPEC.offset)
    image = random_image(*shape)
    inputs = preprocess(image, spec)
    assert inputs.shape == (24, 32, 3) and inputs.dtype == np.float32
    for y, x, channel in [(0, 0, 0), (23, 31, 2), (0, 31, 1), (11, 17, 0), (12, 3, 1), (23, 0, 2)]:
        assert inputs[y, x, channel] == one_value(image, spec, y, x, channel)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("height", "width", "crop"), [(32, 32, 1.0), (24, 40, 0.875), (7, 7, 0.3)])
def test_tensorflow_gives_the_same_bits(shape, height, width, crop):
    spec = Preprocessing(height=height, width=width, crop=crop, scale=SPEC.scale, offset=SPEC.offset)
    image = random_image(*shape)
    expected = preprocess(image, spec)
    np.testing.assert_array_equal(images.normalize(images.cut_and_resize(image, spec), spec), expected)


def test_every_byte_is_normalized_alike_in_tensorflow():
    ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    np.testing.assert_array_equal(images.normalize(ramp, SPEC), normalize(ramp, SPEC))


def test_an_image_of_the_inputs_size_is_only_normalized():
    image = random_image(32, 32)
    np.testing.assert_array_equal(preprocess(image, SPEC), normalize(image, SPEC))


def test_a_batch_is_its_images():
    batch = np.stack([random_image(40, 50), random_image(50, 40).transpose(1, 0, 2)])
    np.testing.assert_array_equal(preprocess(batch, SPEC), [preprocess(image, SPEC) for image in batch])


def test_specification_centres_and_scales():
    spec = specification(8, 8, mean=(0.5, 0.25, 0.75), std=(0.5, 0.25, 0.125))
    mean_pixels = np.array([0.5, 0.25, 0.75]) * 255
    np.testing.assert_allclose(mean_pixels * spec.scale + spec.offset, 0, atol=1e-6)
    np.testing.assert_allclose(
        (mean_pixels + 255 * np.array([0.5, 0.25, 0.125])) * spec.scale + spec.offset, 1, rtol=1e-6
    )


def test_the_specification_survives_json_to_the_bit():
    assert Preprocessing.model_validate_json(SPEC.model_dump_json()) == SPEC
    assert all(float32(value) == value for value in SPEC.scale + SPEC.offset)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((1, 1, 8, 8, 3), np.uint8),
    ],
)
def test_refuses_what_is_no_image(image):
    with pytest.raises(LqFdaError, match="8-bit RGB"):
        preprocess(image, SPEC)
