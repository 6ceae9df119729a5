"""TensorFlow's read errors as one sentence with a cure."""

import contextlib
import re
from collections.abc import Iterator

from lq_fda._keras import tf
from lq_fda.errors import LqFdaError, reason

# The operations that decode, and what they say: the bytes of a file, not the program, are at fault.
_BAD_IMAGE = re.compile(r"DecodeImage|DecodeAndCropJpeg|ExtractJpegShape|Unknown image|Invalid (PNG|JPEG)|BMP")


@contextlib.contextmanager
def reading(name: str, folder: str | None) -> Iterator[None]:
    """Wraps a block that pulls images from a pipeline.

    Args:
        name: The data set.
        folder: Where its files are.

    Raises:
        LqFdaError: A file is truncated, damaged, missing or not readable. Other errors pass unchanged.
    """
    try:
        yield
    except tf.errors.DataLossError as error:
        raise LqFdaError(
            f"The data set is damaged: a file ends in the middle of a record, or its checksum is wrong. "
            f"Expected whole TFRecord files. Received: name={name!r}, data_dir={folder!r} ({reason(error)}).",
            cure="Copy the data set again, or prepare it again with TFDS.",
        ) from error
    except (tf.errors.NotFoundError, tf.errors.PermissionDeniedError) as error:
        raise LqFdaError(
            f"A file of the data set cannot be read. Received: name={name!r}, data_dir={folder!r} ({reason(error)}).",
            cure="Check that the files are still there and readable.",
        ) from error
    except tf.errors.InvalidArgumentError as error:
        if not _BAD_IMAGE.search(error.message):
            raise
        raise LqFdaError(
            f"The data set holds an image that cannot be decoded. Expected PNG, JPEG or BMP. "
            f"Received: name={name!r}, data_dir={folder!r} ({reason(error)}).",
            cure="Replace or remove the image.",
        ) from error
