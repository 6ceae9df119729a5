"""The bundle: a folder with everything a device needs to run a network, and proof that it is intact."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lq_fda_runtime.errors import LqFdaRuntimeError
from lq_fda_runtime.golden import Golden, read_golden
from lq_fda_runtime.images import read_image
from lq_fda_runtime.manifest import read_manifest
from lq_fda_runtime.preprocessing import Preprocessing, preprocess
from lq_fda_runtime.session import Session

MODEL, INT8, FLOAT = "model.tflite", "int8.tflite", "float.tflite"
LABELS, GOLDEN = "labels.txt", "golden.npz"


class Prediction(NamedTuple):
    """A label and its probability."""

    label: str
    probability: float


class Bundle:
    """A bundle on disk, as `lq-fda convert` makes it.

    Opening one reads the manifest and nothing else; each file is compared with its sha256 whenever it is read.

    Args:
        path: The folder.

    Raises:
        LqFdaRuntimeError: No bundle there, a newer format, or a damaged manifest.

    ```python
    from lq_fda_runtime import Bundle

    for label, probability in Bundle("bundles/r20").classify("cat.jpg", top=3):
        print(f"{probability:6.1%}  {label}")
    ```
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self.manifest = read_manifest(self.path)
        self._sessions: dict[tuple[str, int], tuple[list[str], Session]] = {}

    @property
    def preprocessing(self) -> Preprocessing:
        return self.manifest.preprocessing

    def models(self) -> list[str]:
        """The `.tflite` files of the bundle, the 1-bit one first."""
        return [name for name in (MODEL, INT8, FLOAT) if name in self.manifest.files]

    def read(self, name: str) -> bytes:
        """The content of a file, compared with the manifest.

        Raises:
            LqFdaRuntimeError: The manifest does not list it, it is missing, or it is another file.
        """
        if name not in self.manifest.files:
            raise LqFdaRuntimeError(
                f"The bundle has no such file. Expected one of {sorted(self.manifest.files)}. Received: {name!r}.",
                cure="Name a file from the list.",
            )
        entry, path = self.manifest.files[name], self.path / name
        try:
            with path.open("rb") as file:
                content = file.read(entry.bytes + 1)  # One more tells a longer file from the right one.
        except OSError as error:
            raise self._damaged(name, f"{error.strerror or error}") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != entry.sha256:
            raise self._damaged(name, f"sha256 {digest}")
        return content

    def check(self) -> None:
        """Compares every file with the manifest.

        Raises:
            LqFdaRuntimeError: A file is missing or is another one.
        """
        for name in self.manifest.files:
            self.read(name)

    def labels(self) -> list[str]:
        """The names of the classes.

        Raises:
            LqFdaRuntimeError: The file is damaged, or does not hold one label a class.
        """
        try:
            # One a line, as files have lines: other separators may be part of a name.
            text = io.StringIO(self.read(LABELS).decode("utf-8"), newline=None)
            labels = [line.rstrip("\n") for line in text]
        except UnicodeDecodeError as error:
            raise self._damaged(LABELS, "not UTF-8") from error
        if len(labels) != self.manifest.classes:
            raise self._damaged(LABELS, f"{len(labels)} labels for {self.manifest.classes} classes")
        return labels

    def golden(self) -> Golden:
        """Inputs, and what each file gave for them where the bundle was made.

        Raises:
            LqFdaRuntimeError: The file is damaged.
        """
        spec = self.preprocessing
        return read_golden(
            self.read(GOLDEN),
            name=str(self.path / GOLDEN),
            files=self.models(),
            input_shape=(spec.height, spec.width, 3),
            classes=self.manifest.classes,
        )

    def session(self, file: str = MODEL, *, num_threads: int = 1, isa: str = "auto", delegate: bool = True) -> Session:
        """Loads a file of the bundle into an interpreter.

        Raises:
            LqFdaRuntimeError: The file is damaged, cannot be run, or does not fit the manifest.
        """
        if not file.endswith(".tflite"):
            raise LqFdaRuntimeError(
                f"This is no network. Expected one of {self.models()}. Received: file={file!r}.",
                cure="Name a .tflite file of the bundle.",
            )
        session = Session(
            self.read(file), name=str(self.path / file), num_threads=num_threads, isa=isa, delegate=delegate
        )
        expected = (1, self.preprocessing.height, self.preprocessing.width, 3)
        if session.input_shape != expected:
            raise self._damaged(file, f"input shape {session.input_shape} where the manifest says {expected}")
        return session

    def classify(
        self, image: np.ndarray | str | os.PathLike[str], *, top: int = 3, file: str = MODEL, num_threads: int = 1
    ) -> list[Prediction]:
        """Names what an image shows.

        The network is loaded once for each file and number of threads. A bundle serves one thread at a time; give
        each of several its own.

        Args:
            image: `uint8` RGB pixels, shape (height, width, 3), or the path of an image file.
            top: How many labels.
            file: Which of the bundle's networks.
            num_threads: Threads; at most those that this process may use.

        Returns:
            The most probable labels, the best first.

        Raises:
            LqFdaRuntimeError: The image or the bundle cannot be read, or the runtime cannot run the file.
        """
        if top < 1:
            raise LqFdaRuntimeError(f"Expected at least one label. Received: top={top!r}.", cure="Pass top=1 or more.")
        pixels = image if isinstance(image, np.ndarray) else read_image(image)
        inputs = preprocess(pixels, self.preprocessing)[np.newaxis]
        labels, session = self._loaded(file, num_threads)
        probabilities = _softmax(session.run(inputs)[0][0])
        best = np.argsort(-probabilities, kind="stable")[:top]
        return [Prediction(labels[index], float(probabilities[index])) for index in best]

    def _loaded(self, file: str, num_threads: int) -> tuple[list[str], Session]:
        if (file, num_threads) not in self._sessions:
            self._sessions[file, num_threads] = self.labels(), self.session(file, num_threads=num_threads)
        return self._sessions[file, num_threads]

    def _damaged(self, name: str, received: str) -> LqFdaRuntimeError:
        return LqFdaRuntimeError(
            f"The bundle is damaged: {name!r} is missing or is not the file that the manifest describes. "
            f"Received: path={str(self.path / name)!r} ({received}).",
            cure="Copy the bundle again, or convert the run again.",
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()
