"""Puts a bundle, and sample images out of it, among the app's assets. Gradle's build needs that, too.

python android_demo/tools/assets.py [--bundle DIR]

The samples are the bundle's own golden inputs, turned back into pixels: each network's answer to them is known. Those
of the default are of the test split of CIFAR-10 (Krizhevsky, 2009).
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import lock
from commands import ToolError
from layout import ANDROID, ASSETS, GOLDEN_BUNDLE, OUT, ROOT

SAMPLES = 6
# What reading a damaged bundle says.
_ERRORS = (OSError, ValueError, LookupError, TypeError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error)
MANIFEST = "manifest.json"
_DEFAULT = GOLDEN_BUNDLE.relative_to(ROOT)
_CURE = (
    "Make one by `make demo DEMO=runs/demo`, and give its folder: `make android BUNDLE=runs/demo/bundle`, or "
    "--bundle runs/demo/bundle."
)


def put(bundle: Path | None) -> None:
    """Writes the assets anew.

    Args:
        bundle: By default the repository's own, `layout.GOLDEN_BUNDLE`.

    Raises:
        ToolError: There is no bundle, it is damaged, or it is the one among the assets. These stay as they were then.
    """
    if bundle is None and not (GOLDEN_BUNDLE / MANIFEST).is_file():
        raise ToolError(f"No bundle was given, and {_DEFAULT} is not there. {_CURE}")
    bundle = bundle or GOLDEN_BUNDLE
    if bundle.resolve().is_relative_to(ASSETS.resolve()):
        raise ToolError(
            f"{bundle} is where the bundle goes. Give the folder that it came from: --bundle runs/demo/bundle."
        )
    try:
        manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
        names = [MANIFEST, *manifest["files"]]
        images = _images(bundle / "golden.npz", manifest["preprocessing"])
        ASSETS.parent.mkdir(parents=True, exist_ok=True)
        # Beside the assets, so that one move puts it there, and not a half of it.
        with tempfile.TemporaryDirectory(prefix=".assets-", dir=ASSETS.parent) as temporary:
            made = Path(temporary) / "assets"
            for name in names:
                if Path(name).name != name:
                    raise ValueError(f"{name!r} is no plain file name")
                _write(made / "bundle" / name, (bundle / name).read_bytes())
            for number, image in enumerate(images[:SAMPLES], start=1):
                _write(made / "samples" / f"{number}.png", image)
            _write(made / "licenses.txt", licenses())
            shutil.rmtree(ASSETS, ignore_errors=True)
            made.rename(ASSETS)
    except _ERRORS as error:
        raise ToolError(f"The app needs a bundle. Received: {bundle} ({error}). {_CURE}") from error


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Lets a program take --bundle."""
    parser.add_argument("--bundle", type=Path, help=f"the bundle for the app, a folder; by default {_DEFAULT}")


def licenses() -> bytes:
    """Of what the app and the library hold: who wrote it, and the texts. Apache-2.0's is this repository's own."""
    return b"".join(path.read_bytes() for path in (ANDROID / "licenses.txt", ROOT / "LICENSE"))


def _images(golden: Path, preprocessing: dict) -> list[bytes]:
    """PNG files."""
    with zipfile.ZipFile(golden) as archive:
        content = archive.read("inputs.npy")
    start = 10 + struct.unpack_from("<H", content, 8)[0]
    header = ast.literal_eval(content[10:start].decode("latin-1").strip())
    count, height, width, channels = header["shape"]
    if header["descr"] != "<f4" or channels != 3:
        raise ValueError(f"golden.npz holds {header}")
    values = struct.unpack(f"<{count * height * width * 3}f", content[start:])
    # 0 for a channel whose values do not depend on its pixels.
    scale, offset = preprocessing["scale"], preprocessing["offset"]
    pixels = bytes(
        min(max(round((value - offset[index % 3]) / scale[index % 3]), 0), 255) if scale[index % 3] else 0
        for index, value in enumerate(values)
    )
    size = height * width * 3
    return [png(pixels[number * size :][:size], height, width) for number in range(count)]


def png(pixels: bytes, height: int, width: int) -> bytes:
    """A PNG file of 8-bit RGB pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + pixels[row * width * 3 :][: width * 3] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_argument(parser)
    arguments = parser.parse_args()
    try:
        with lock.alone(OUT):
            put(arguments.bundle)
    except ToolError as error:
        sys.exit(f"assets.py: {error}")


if __name__ == "__main__":
    main()
