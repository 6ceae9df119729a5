"""The bundle: a folder with everything a device needs to run a network, and proof that it is intact.

    model.tflite  float.tflite  int8.tflite  labels.txt  golden.npz  manifest.json

Kotlin, C++ and the Raspberry Pi read the same manifest, so no preprocessing constant is typed twice.
"""

import zipfile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pydantic
from pydantic import Field

from lq_fda.artifacts.files import read_json, sha256_of
from lq_fda.errors import LqFdaError, reason

MANIFEST_FORMAT = 1
_LARGEST_GOLDEN = 1 << 28
Fraction = Annotated[float, Field(ge=0, le=1)]


class _Contract(pydantic.BaseModel):
    """Immutable, and refuses keys that it does not know."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Preprocessing(_Contract):
    """How an image becomes the network's input; the same arithmetic in every language.

    1. Decode to 8-bit RGB.
    2. Cut the central rectangle with the input's aspect ratio, the largest one times `crop`.
    3. Resize it to `height` x `width`: bilinear, half-pixel centres, no antialiasing, in float32, rounded to bytes.
    4. `value = pixel * scale[c] + offset[c]`, in float32, rounded after each of the two operations.
    """

    height: int = Field(ge=1, le=4096)
    width: int = Field(ge=1, le=4096)
    crop: float = Field(default=1.0, gt=0, le=1)
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]


class LayerReport(_Contract):
    """What became of one layer that is meant to be binary.

    `index` is the operator's place in the file's order of execution; None where no operator was found.
    """

    name: str
    binary: bool
    operator: str
    index: int | None = Field(default=None, ge=0)
    output: Literal["float", "int8", "bitpacked", "none"]
    macs: int = Field(ge=0)
    weight_bytes: int = Field(ge=0)
    fused: tuple[str, ...] = ()
    note: str = ""


class ConversionReport(_Contract):
    """Per-layer account of a conversion, and the operators that the file holds."""

    layers: tuple[LayerReport, ...]
    operators: dict[str, int]
    notes: tuple[str, ...] = ()


class SplitAccuracy(_Contract):
    """Top-1 accuracy of one file on one split, as a fraction."""

    split: Literal["validation", "test"]
    images: int = Field(ge=1)
    top1: Fraction


class FileEntry(_Contract):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(_Contract):
    """The bundle's table of contents."""

    format: Literal[1] = MANIFEST_FORMAT
    name: str
    created: str
    model: dict[str, Any]
    dataset: str
    preprocessing: Preprocessing
    output: Literal["logits"] = "logits"
    classes: int = Field(ge=2)
    files: dict[str, FileEntry]
    trained_twins: bool
    accuracy: dict[str, SplitAccuracy] = {}
    versions: dict[str, str]
    conversion: ConversionReport


class Golden(NamedTuple):
    """Preprocessed images, (n, height, width, channels), and what each file gives for them, (n, classes)."""

    inputs: np.ndarray
    outputs: dict[str, np.ndarray]


class Bundle:
    """A bundle on disk.

    Opening one reads the manifest and nothing else; `check` hashes every file.

    Args:
        path: The folder.

    Raises:
        LqFdaError: No manifest there, or one that this version cannot read.
    """

    MODEL, FLOAT, INT8 = "model.tflite", "float.tflite", "int8.tflite"
    LABELS, GOLDEN, MANIFEST = "labels.txt", "golden.npz", "manifest.json"
    # For people; `lq-fda ship` and `run` write it, and no program reads it.
    CARD = "MODEL_CARD.md"
    # What runs each network; the honest peer of a 1-bit network is int8 on XNNPACK.
    RUNTIMES: ClassVar[dict[str, str]] = {MODEL: "lce", INT8: "litert", FLOAT: "litert"}
    # What else runs the 1-bit network, where it is installed: LiteRT with the delegate.
    DELEGATE = "lq_fda"

    def __init__(self, path: Path | str):
        self.path = Path(path)
        content = read_json(self.path / self.MANIFEST)
        received = content.get("format") if isinstance(content, dict) else None
        if received != MANIFEST_FORMAT:
            raise LqFdaError(
                f"The bundle has a manifest that this version cannot read. Expected format {MANIFEST_FORMAT}. "
                f"Received: format={received!r} in {str(self.path)!r}.",
                cure="Update lq-fda, or convert the run again with this version.",
            )
        try:
            self.manifest = Manifest.model_validate(content)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            raise LqFdaError(
                f"The bundle's manifest is damaged: {first['msg']}. "
                f"Received: {'.'.join(map(str, first['loc']))} in {str(self.path)!r}.",
                cure="Convert the run again.",
            ) from error

    def file(self, name: str) -> Path:
        """The path of a file that the manifest lists.

        Raises:
            LqFdaError: The manifest does not list it.
        """
        if name not in self.manifest.files:
            raise LqFdaError(
                f"The bundle has no such file. Expected one of {sorted(self.manifest.files)}. Received: {name!r}.",
                cure="Name a file from the list.",
            )
        return self.path / name

    def labels(self) -> list[str]:
        """The names of the classes, in their order.

        Raises:
            LqFdaError: The manifest does not list the file, or it is damaged.
        """
        path = self.file(self.LABELS)
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise LqFdaError(
                f"The bundle is damaged: {self.LABELS} holds no text. Received: {str(path)!r} ({error}).",
                cure="Copy the bundle again, or convert the run again.",
            ) from error

    def golden(self) -> "Golden":
        """The inputs and expected outputs in golden.npz.

        Raises:
            LqFdaError: The manifest does not list the file, or it is damaged.
        """
        path = self.file(self.GOLDEN)
        names = {name: f"outputs_{Path(name).stem}" for name in self.RUNTIMES if name in self.manifest.files}
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > _LARGEST_GOLDEN:
                raise ValueError(f"it unpacks to {size} bytes, more than {_LARGEST_GOLDEN}")
            with np.load(path, allow_pickle=False) as archive:
                inputs = archive["inputs"]
                outputs = {name: archive[key] for name, key in names.items()}
            for name, values in {"inputs": inputs, **outputs}.items():
                if values.dtype != np.float32 or not len(values) or len(values) != len(inputs):
                    raise ValueError(f"{name} has type {values.dtype} and shape {values.shape}")
                if not np.isfinite(values).all():
                    raise ValueError(f"{name} holds numbers that are not finite")
            if any(values.shape[1:] != (self.manifest.classes,) for values in outputs.values()):
                raise ValueError(f"the outputs are not of {self.manifest.classes} classes")
        # Whatever zipfile, numpy and the memory for a header's invented shape raise: it is no golden file.
        except Exception as error:
            raise LqFdaError(
                f"The bundle is damaged: {self.GOLDEN} holds no golden inputs and outputs. "
                f"Received: {str(path)!r} ({reason(error)}).",
                cure="Copy the bundle again, or convert the run again.",
            ) from error
        return Golden(inputs, outputs)

    def check(self) -> None:
        """Compares every file with the manifest.

        Raises:
            LqFdaError: A file is missing, leaves the folder, or differs from its sha256.
        """
        for name, entry in self.manifest.files.items():
            path = self.path / name
            if Path(name).name != name or not path.is_file() or sha256_of(path) != entry.sha256:
                raise LqFdaError(
                    f"The bundle is damaged: {name!r} is missing or is not the file that the manifest describes. "
                    f"Expected sha256 {entry.sha256}. Received: {str(path)!r}.",
                    cure="Copy the bundle again, or convert the run again.",
                )


def file_entry(path: Path) -> FileEntry:
    """Measures a file for the manifest."""
    return FileEntry(sha256=sha256_of(path), bytes=path.stat().st_size)
