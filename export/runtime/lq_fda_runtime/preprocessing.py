"""From an image to the network's input, as the bundle's manifest describes it; the same values to the last bit as in
lq_fda, Kotlin and C++.

1. **Cut** the central rectangle with the input's aspect ratio: `ratio = min(H / height, W / width) * crop` in double
   precision, `floor(ratio * height + 0.5)` rows by `floor(ratio * width + 0.5)` columns, at least one and at most the
   image, from row `(H - rows) // 2` and column `(W - columns) // 2` on.
2. **Resize** it, if it has another size than the input: bilinear, half-pixel centres, no antialiasing, in float32,
   first along the columns, then along the rows, each `a + (b - a) * t`, rounded to bytes by `floor(v + 0.5)`.
3. **Normalize**: `pixel * scale[channel] + offset[channel]` in float32, rounded after each of the two operations.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from lq_fda_runtime.errors import LqFdaRuntimeError


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """The numbers of the arithmetic.

    Args:
        height: Rows of the network's input.
        width: Columns of the network's input.
        crop: Share of the largest central rectangle that is used.
        scale: Factor of each channel.
        offset: Summand of each channel.
    """

    height: int
    width: int
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    crop: float = 1.0


def preprocess(image: np.ndarray, spec: Preprocessing) -> np.ndarray:
    """Turns one 8-bit RGB image into the network's input.

    Args:
        image: `uint8`, shape `(height, width, 3)`, of any size.
        spec: The numbers, as `Bundle.preprocessing` holds them.

    Returns:
        `float32`, shape `(spec.height, spec.width, 3)`.

    Raises:
        LqFdaRuntimeError: The array is no 8-bit RGB image.

    ```python
    import numpy as np
    from lq_fda_runtime.preprocessing import Preprocessing, preprocess

    spec = Preprocessing(height=32, width=32, scale=(1 / 255,) * 3, offset=(0.0,) * 3)
    assert preprocess(np.zeros((48, 64, 3), np.uint8), spec).shape == (32, 32, 3)
    ```
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise LqFdaRuntimeError(
            "This is no 8-bit RGB image. Expected uint8 with shape (height, width, 3). "
            f"Received: dtype={image.dtype}, shape={image.shape}.",
            cure="Decode the image to RGB bytes first.",
        )
    pixels = _resized(_cut(image, spec), spec.height, spec.width)
    scale, offset = np.array(spec.scale, np.float32), np.array(spec.offset, np.float32)
    return pixels.astype(np.float32) * scale + offset


def _cut(image: np.ndarray, spec: Preprocessing) -> np.ndarray:
    rows_there, columns_there = image.shape[:2]
    ratio = min(rows_there / spec.height, columns_there / spec.width) * spec.crop
    rows = min(max(math.floor(ratio * spec.height + 0.5), 1), rows_there)
    columns = min(max(math.floor(ratio * spec.width + 0.5), 1), columns_there)
    top, left = (rows_there - rows) // 2, (columns_there - columns) // 2
    return image[top : top + rows, left : left + columns]


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    above, below, down = _around(image.shape[0], height)
    left, right, across = _around(image.shape[1], width)

    def along_columns(rows: np.ndarray) -> np.ndarray:
        # Picked as bytes, so that a large photograph never becomes floats as a whole.
        chosen = image[rows]
        first, second = chosen[:, left].astype(np.float32), chosen[:, right].astype(np.float32)
        return first + (second - first) * across[:, None]

    upper, lower = along_columns(above), along_columns(below)
    blended = upper + (lower - upper) * down[:, None, None]
    return np.floor(blended + np.float32(0.5)).astype(np.uint8)


def _around(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each output position: the two input positions around it, and how far it lies from the first to the second."""
    half = np.float32(0.5)
    place = (np.arange(target, dtype=np.float32) + half) * (np.float32(size) / np.float32(target)) - half
    floor = np.floor(place)
    first = np.maximum(floor, 0).astype(np.intp)
    second = np.minimum(np.ceil(place), size - 1).astype(np.intp)
    return first, second, place - floor
