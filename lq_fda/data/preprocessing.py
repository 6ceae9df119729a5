"""From an image to the network's input, in numpy: the reference that every other language follows.

The arithmetic, spelled out so that it can be written again in Kotlin or C++ and give the same bits:

1. **Cut.** `ratio = min(H / height, W / width) * crop` in double precision. The cut is
   `floor(ratio * height + 0.5)` rows by `floor(ratio * width + 0.5)` columns, at least one and at most the image,
   and starts at row `(H - rows) // 2` and column `(W - columns) // 2`.
2. **Resize**, in float32, only when the cut has another size than the input. For output row `y`:
   `s = (y + 0.5) * (rows / height) - 0.5`, `low = max(floor(s), 0)`, `high = min(ceil(s), rows - 1)`,
   `t = s - floor(s)`; likewise for columns. First along the columns, `a + (b - a) * t`, then along the rows.
   The result is rounded to a byte: `floor(v + 0.5)`. A resized image is an image again, which may be stored as one.
3. **Normalize.** `value = pixel * scale[channel] + offset[channel]` in float32, rounded after each operation
   (no fused multiply-add).
"""

import math

import numpy as np

from lq_fda.artifacts import Preprocessing
from lq_fda.errors import LqFdaError


def preprocess(images: np.ndarray, spec: Preprocessing) -> np.ndarray:
    """Turns 8-bit RGB images into the network's input.

    Use it wherever a model is fed outside `Dataset`: its values equal those of the evaluation pipeline, bit for bit.

    Args:
        images: `uint8`, `(height, width, 3)` or `(batch, height, width, 3)`, of any size.
        spec: The arithmetic, as a bundle's manifest holds it.

    Returns:
        `float32`, `(spec.height, spec.width, 3)`, with the batch axis in front if the input has one.

    Raises:
        LqFdaError: The array is no 8-bit RGB image.

    ```python
    import numpy as np
    from lq_fda.artifacts import Preprocessing
    from lq_fda.data import preprocess

    spec = Preprocessing(height=32, width=32, scale=(1 / 255,) * 3, offset=(0.0,) * 3)
    assert preprocess(np.zeros((48, 64, 3), np.uint8), spec).shape == (32, 32, 3)
    ```
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-1] != 3 or 0 in images.shape:
        raise LqFdaError(
            "This is no 8-bit RGB image. Expected uint8 with shape (height, width, 3) or (batch, height, width, 3). "
            f"Received: dtype={images.dtype}, shape={images.shape}.",
            cure="Decode the image to RGB bytes first.",
        )
    return normalize(resize(central_cut(images, spec), spec.height, spec.width), spec)


def normalize(images: np.ndarray, spec: Preprocessing) -> np.ndarray:
    """Step 3 alone, for images that have been cut and resized, such as those of `Dataset.raw`."""
    return images.astype(np.float32) * np.asarray(spec.scale, np.float32) + np.asarray(spec.offset, np.float32)


def specification(
    height: int, width: int, *, mean: tuple[float, ...], std: tuple[float, ...], crop: float = 1.0
) -> Preprocessing:
    """The preprocessing that normalizes channels of the given mean and deviation (of pixels scaled to 0..1).

    Scale and offset are rounded to float32, so that JSON carries them without loss.
    """
    scale = tuple(float(np.float32(1 / (255 * deviation))) for deviation in std)
    offset = tuple(float(np.float32(-average / deviation)) for average, deviation in zip(mean, std, strict=True))
    return Preprocessing(height=height, width=width, crop=crop, scale=scale, offset=offset)


def central_cut(images: np.ndarray, spec: Preprocessing) -> np.ndarray:
    """Step 1: the central rectangle with the input's aspect ratio."""
    image_height, image_width = images.shape[-3:-1]
    ratio = min(image_height / spec.height, image_width / spec.width) * spec.crop
    rows = min(max(math.floor(ratio * spec.height + 0.5), 1), image_height)
    columns = min(max(math.floor(ratio * spec.width + 0.5), 1), image_width)
    top, left = (image_height - rows) // 2, (image_width - columns) // 2
    return images[..., top : top + rows, left : left + columns, :]


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Step 2: bilinear, half-pixel centres, no antialiasing, rounded to bytes."""
    if images.shape[-3:-1] == (height, width):
        return images
    above, below, down = _neighbours(images.shape[-3], height)
    left, right, across = _neighbours(images.shape[-2], width)
    pixels = images.astype(np.float32)
    upper = _blend(pixels[..., above, :, :][..., left, :], pixels[..., above, :, :][..., right, :], across[:, None])
    lower = _blend(pixels[..., below, :, :][..., left, :], pixels[..., below, :, :][..., right, :], across[:, None])
    return np.floor(_blend(upper, lower, down[:, None, None]) + np.float32(0.5)).astype(np.uint8)


def _neighbours(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each output position: the two input positions around it, and how far it lies between them."""
    step = np.float32(size) / np.float32(target)
    position = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    floor = np.floor(position)
    low = np.maximum(floor, 0).astype(np.int64)
    high = np.minimum(np.ceil(position), size - 1).astype(np.int64)
    return low, high, position - floor


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + (second - first) * share
