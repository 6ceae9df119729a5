"""Image files, good and bad."""

import contextlib
import io
import random
import struct
import zlib

import numpy as np
import pytest
from lq_fda_runtime import LqFdaRuntimeError
from lq_fda_runtime.images import read_image
from PIL import Image

# Top to bottom, left to right: distinct everywhere, so that any turn shows.
PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10

# How the stored picture has to be turned, from the EXIF standard's table of the eight orientations.
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_turns_the_image_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "i.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "i.png"), UPRIGHT[orientation](PIXELS))


@pytest.mark.parametrize("ending", ["png", "bmp", "ppm", "tiff", "webp"])
def test_reads_lossless_formats(tmp_path, ending):
    Image.fromarray(PIXELS).save(tmp_path / f"i.{ending}", **({"lossless": True} if ending == "webp" else {}))
    np.testing.assert_array_equal(read_image(tmp_path / f"i.{ending}"), PIXELS)


def test_repeats_gray_and_drops_alpha(tmp_path):
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png"), np.repeat(PIXELS[..., :1], 3, axis=2))
    alpha = np.concatenate((PIXELS, np.full((2, 3, 1), 7, np.uint8)), axis=2)
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(read_image(tmp_path / "alpha.png"), PIXELS)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(side):
    """A PNG of a few hundred bytes that claims side x side pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_001, 60_000])
def test_refuses_image_bombs(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    with pytest.raises(LqFdaRuntimeError, match="at most 100 megapixels"):
        read_image(tmp_path / "bomb.png")


def jpeg(exif=None):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(buffer, "JPEG")
    content = buffer.getvalue()
    if exif is None:
        return content
    segment = b"Exif\0\0" + exif
    return content[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[2:]


# Words where a number of bits belongs, which the turned image would have to repeat.
MISTYPED = b"MM\0*\0\0\0\x08\0\x02\x01\x02\0\x02\0\0\0\x03hi\0\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image at all",
        jpeg()[:300],
        jpeg()[: len(jpeg()) // 2],
        bomb(8)[:40],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
        jpeg(MISTYPED),
    ],
    ids=["empty", "text", "head", "half", "png", "postscript", "mistyped metadata"],
)
def test_refuses_what_is_no_image(tmp_path, content):
    (tmp_path / "i.jpg").write_bytes(content)
    with pytest.raises(LqFdaRuntimeError, match="no image, or it is damaged"):
        read_image(tmp_path / "i.jpg")


def test_says_nothing_of_odd_metadata(tmp_path, recwarn):
    """Pillow warns of it, on stderr, where a program's own messages stand."""
    (tmp_path / "i.jpg").write_bytes(jpeg(exif=b"II*\0\x08\0\0\0\x05\0\x12\x01\x03\0"))
    assert read_image(tmp_path / "i.jpg").shape == (64, 64, 3)
    assert not recwarn.list


def test_decoders_fail_in_known_ways_only(tmp_path):
    """Bytes of every format, damaged at random: pixels, or an error for the user."""
    chance = random.Random(0)
    for ending in ("jpg", "png", "webp", "bmp", "gif", "ppm", "tiff"):
        buffer = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif} if ending in ("jpg", "png", "webp", "tiff") else {}
        Image.fromarray(PIXELS).resize((16, 16)).save(buffer, {"jpg": "JPEG"}.get(ending, ending.upper()), **options)
        for _ in range(150):
            content = bytearray(buffer.getvalue())
            for _ in range(chance.randint(1, 6)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            (tmp_path / "i").write_bytes(content[: chance.choice((len(content), chance.randrange(len(content))))])
            with contextlib.suppress(LqFdaRuntimeError):
                read_image(tmp_path / "i")


def test_refuses_sixteen_bits(tmp_path):
    Image.fromarray(np.arange(16, dtype=np.uint16).reshape(4, 4) * 4000).save(tmp_path / "i.png")
    with pytest.raises(LqFdaRuntimeError, match="8 bits a channel"):
        read_image(tmp_path / "i.png")


@pytest.mark.parametrize("ending", ["pcx", "sgi", "im"])
def test_refuses_formats_that_pillow_would_read(tmp_path, ending):
    Image.fromarray(PIXELS).save(tmp_path / f"i.{ending}")
    with pytest.raises(LqFdaRuntimeError, match="Expected one of JPEG"):
        read_image(tmp_path / f"i.{ending}")


@pytest.mark.parametrize("path", ["missing.png", ""])
def test_refuses_missing_files_and_folders(tmp_path, path):
    with pytest.raises(LqFdaRuntimeError, match="cannot be read"):
        read_image(tmp_path / path)
