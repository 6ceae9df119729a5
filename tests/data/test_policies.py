import keras as keras3
import numpy as np
import pytest

from lq_fda._keras import tf
from lq_fda.data.augmentation import branches
from lq_fda.data.policies import make_policy
from lq_fda.errors import LqFdaError

COLOR = (10.0, 20.0, 30.0)
IMAGES = np.random.default_rng(0).integers(0, 256, (96, 32, 32, 3)).astype(np.float32)
KEYS = branches(tf.constant((0, 0), tf.int64), tf.range(len(IMAGES)))


def apply(names, images=IMAGES, keys=KEYS, parallel=1):
    policy = make_policy(names, COLOR)
    pairs = tf.data.Dataset.from_tensor_slices((images, keys))
    return np.stack(list(pairs.map(policy, num_parallel_calls=parallel).as_numpy_iterator()))


@pytest.fixture(scope="module")
def augmented():
    return apply(("randaugment",))


def test_an_image_depends_on_its_key_alone(augmented):
    """Not on the images before it, nor on the number of threads, nor on a fresh layer's state."""
    backwards = apply(("randaugment",), IMAGES[::-1], KEYS[::-1], parallel=4)
    np.testing.assert_array_equal(backwards[::-1], augmented)


def test_randaugment_draws_for_each_image(augmented):
    same = np.repeat(IMAGES[:1], len(IMAGES), axis=0)
    distinct = {image.tobytes() for image in apply(("randaugment",), same)}
    assert len(distinct) > len(IMAGES) / 2
    # Two draws out of 14 operations give the identity twice once in 196 times, never often.
    assert 0 <= sum((after == before).all() for before, after in zip(IMAGES, augmented, strict=True)) < 15


def test_randaugment_stays_in_range_and_finite(augmented):
    assert augmented.dtype == np.float32 and np.isfinite(augmented).all()
    assert augmented.min() >= 0 and augmented.max() <= 255
    flat = np.full((32, 32, 32, 3), 77, np.float32)  # autocontrast and equalize divide by the range of values
    assert np.isfinite(apply(("randaugment",), flat, KEYS[:32])).all()


def test_cutout_fills_one_square_of_a_quarter_of_the_image():
    for before, after in zip(IMAGES[:20], apply(("cutout",))[:20], strict=True):
        changed = (after == COLOR).all(axis=-1)
        np.testing.assert_array_equal(after[~changed], before[~changed])
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert changed.sum() == 256 and len(rows) == len(columns) == 16
        assert np.ptp(rows) == np.ptp(columns) == 15


def test_nothing_asked_nothing_made():
    assert make_policy(("crop", "flip"), COLOR) is None


def test_another_backend_of_keras_3_is_refused(monkeypatch):
    monkeypatch.setattr(keras3.backend, "backend", lambda: "jax")
    with pytest.raises(LqFdaError, match="KERAS_BACKEND=tensorflow"):
        make_policy(("cutout",), COLOR)
