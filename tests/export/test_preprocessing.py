"""The same bits as lq_fda's preprocessing, over many sizes."""

import numpy as np
import pytest
from lq_fda_runtime import LqFdaRuntimeError
from lq_fda_runtime.preprocessing import Preprocessing, preprocess

from lq_fda import artifacts, data


@pytest.mark.parametrize("seed", range(12))
def test_equals_lq_fda_to_the_bit(seed):
    generator = np.random.default_rng(seed)
    for _ in range(50):
        # Small sizes on purpose too: a single row, columns that vanish, a cut that is the whole image.
        largest = generator.choice([3, 40, 400])
        height, width, rows, columns = (int(size) for size in generator.integers(1, largest + 1, 4))
        numbers = {
            "height": height,
            "width": width,
            "crop": float(generator.choice([1.0, 0.875, generator.uniform(0.01, 1)])),
            "scale": tuple(float(value) for value in generator.normal(0, 0.02, 3)),
            "offset": tuple(float(value) for value in generator.normal(0, 2, 3)),
        }
        image = generator.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
        found = preprocess(image, Preprocessing(**numbers))
        expected = data.preprocess(image, artifacts.Preprocessing(**numbers))
        assert found.dtype == np.float32 and found.tobytes() == expected.tobytes(), (image.shape, numbers)


def test_knows_the_manifest_of_lq_fda(intact):
    from lq_fda_runtime import Bundle

    ours, theirs = Bundle(intact).preprocessing, artifacts.Bundle(intact).manifest.preprocessing
    assert {name: getattr(ours, name) for name in type(theirs).model_fields} == dict(theirs)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_refuses_what_is_no_image(image):
    with pytest.raises(LqFdaRuntimeError, match="no 8-bit RGB image"):
        preprocess(image, Preprocessing(height=2, width=2, scale=(1.0,) * 3, offset=(0.0,) * 3))
