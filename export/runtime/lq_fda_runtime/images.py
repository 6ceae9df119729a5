"""Image files to 8-bit RGB pixels."""

from __future__ import annotations

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lq_fda_runtime.errors import LqFdaRuntimeError, first_line

# Decoders of plain pixels; Pillow knows others that start programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
_LARGEST_PIXELS = 100_000_000
_LARGEST_BYTES = 1 << 28
# What Pillow's decoders say of bytes that are none of theirs.
_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, struct.error)
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "La", "RGBa")


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Decodes an image file and turns it upright, as its EXIF orientation says.

    Grayscale is repeated, an alpha channel is dropped, of an animation the first picture counts: as in training.

    Args:
        path: A JPEG, PNG, WebP, BMP, GIF, PPM or TIFF file.

    Returns:
        `uint8`, shape `(height, width, 3)`.

    Raises:
        LqFdaRuntimeError: The file is missing, is no image, is damaged, or unpacks to more than 100 megapixels.
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise LqFdaRuntimeError(
            f"The image cannot be read. Received: path={name!r} ({error.strerror or error}).",
            cure="Check the path and its permissions.",
        ) from error
    if len(content) > _LARGEST_BYTES:
        raise LqFdaRuntimeError(
            f"The image is too large. Expected at most {_LARGEST_BYTES} bytes. Received: path={name!r}.",
            cure="Scale the image down first.",
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns of what it takes for bombs, and of odd metadata. The limit below is this package's own, and
            # pixels are all that it wants.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                width, height = image.size
                if width * height > _LARGEST_PIXELS:
                    raise _too_large(name, f"{width} x {height}")
                if image.mode not in _EIGHT_BIT:
                    raise LqFdaRuntimeError(
                        f"The image does not hold bytes. Expected 8 bits a channel. "
                        f"Received: path={name!r} with Pillow's mode {image.mode!r}.",
                        cure="Convert the image to 8 bits a channel first.",
                    )
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Image.DecompressionBombError as error:
        raise _too_large(name, first_line(error)) from error
    except _ERRORS as error:
        raise LqFdaRuntimeError(
            f"This is no image, or it is damaged. Expected one of {', '.join(FORMATS)}. "
            f"Received: path={name!r} ({first_line(error)}).",
            cure="Choose an image file.",
        ) from error


def _too_large(name: str, size: str) -> LqFdaRuntimeError:
    return LqFdaRuntimeError(
        f"The image is too large. Expected at most {_LARGEST_PIXELS // 1_000_000} megapixels. "
        f"Received: path={name!r} ({size}).",
        cure="Scale the image down first.",
    )
