"""Writes what `lq_fda_runtime` makes of made-up images, for the Kotlin tests to be held against.

    python android_demo/tools/vectors.py [--check]

Image number `seed` holds, at flat index i, the highest byte of `i * 2654435761 + seed * 40503` modulo 2^32.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from lq_fda_runtime.preprocessing import Preprocessing, preprocess
from PIL import Image, ImageOps

FILE = Path(__file__).parents[1] / "runtime/src/test/resources/vectors.json"
DIGITS = {"scale": (0.012112831696867943,) * 3, "offset": (-0.9447277188301086,) * 3}
COLOURS = {"scale": (0.0171, 0.0175, 0.0174), "offset": (-2.1179, -2.0357, -1.8044)}

# Stored height and width, EXIF orientation, and the specification.
CASES = [
    ((32, 32), 1, Preprocessing(32, 32, **DIGITS)),
    ((1, 1), 1, Preprocessing(32, 32, **DIGITS)),
    ((1, 1), 6, Preprocessing(1, 1, **COLOURS)),
    ((1, 500), 1, Preprocessing(8, 8, **COLOURS)),
    ((500, 1), 8, Preprocessing(8, 24, **COLOURS)),
    ((37, 53), 1, Preprocessing(32, 32, **COLOURS)),
    ((53, 37), 1, Preprocessing(32, 32, **COLOURS, crop=0.875)),
    ((300, 401), 1, Preprocessing(224, 224, **COLOURS, crop=0.875)),
    ((401, 300), 1, Preprocessing(224, 160, **COLOURS)),
    ((7, 5), 1, Preprocessing(64, 48, **COLOURS)),
    ((7, 5), 1, Preprocessing(48, 64, **COLOURS, crop=0.3)),
    ((9, 11), 1, Preprocessing(3, 5, **COLOURS, crop=1e-9)),
    ((640, 480), 6, Preprocessing(96, 96, **COLOURS, crop=0.999)),
    ((2, 4000), 1, Preprocessing(2, 3999, **COLOURS)),
    *(((24, 41), orientation, Preprocessing(20, 28, **COLOURS, crop=0.9)) for orientation in range(1, 9)),
]


def image(seed: int, height: int, width: int) -> np.ndarray:
    flat = np.arange(height * width * 3, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed * 40503)
    return ((flat & np.uint64(0xFFFFFFFF)) >> np.uint64(24)).astype(np.uint8).reshape(height, width, 3)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As Pillow turns a file with that EXIF orientation."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(file, "PNG", exif=exif)
    return np.asarray(ImageOps.exif_transpose(Image.open(file)))


def vectors() -> str:
    cases = []
    for seed, ((height, width), orientation, spec) in enumerate(CASES):
        values = preprocess(upright(image(seed, height, width), orientation), spec)
        fields = {name: getattr(spec, name) for name in ("height", "width", "crop", "scale", "offset")}
        cases.append(
            {
                "height": height,
                "width": width,
                "orientation": orientation,
                "preprocessing": fields,
                "first": [float(value) for value in values.flat[:3]],
                "sha256": hashlib.sha256(values.astype("<f4").tobytes()).hexdigest(),
            }
        )
    return json.dumps(cases, indent=1) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    if not parser.parse_args().check:
        FILE.write_text(vectors())
    elif FILE.read_text() != vectors():
        print(f"{FILE.name} is out of date. Run tools/vectors.py.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
