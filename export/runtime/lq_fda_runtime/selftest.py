"""The golden inputs through every file of a bundle: does this machine compute what the converting one did?

The tolerance is in units of the expected outputs' root mean square.

    float.tflite   0.001   float32 sums in another order differ in the last bits; nothing else may
    int8.tflite    0.25    another processor's kernels may round a value to the neighbouring one of 256 steps
    model.tflite   0.25    a value within a rounding error of zero may take the other sign, which moves the logits a
                           little; a broken kernel moves them by their own size
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from lq_fda_runtime.bundle import FLOAT, INT8, MODEL, Bundle
from lq_fda_runtime.errors import LqFdaRuntimeError

TOLERANCES: Mapping[str, float] = {FLOAT: 1e-3, INT8: 0.25, MODEL: 0.25}


@dataclasses.dataclass(frozen=True)
class Result:
    """How far one file is from its golden outputs.

    Args:
        file: Which one.
        images: How many inputs were run.
        same_top1: For how many of them the same class wins.
        difference: Largest difference of an output, as a multiple of the expected outputs' root mean square.
        tolerance: What it may be.
    """

    file: str
    images: int
    same_top1: int
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance


def selftest(bundle: Bundle, *, isa: str = "auto", num_threads: int = 1) -> list[Result]:
    """Runs the golden inputs through every file.

    Args:
        bundle: Every file of it is compared with the manifest first.
        isa: The delegate's instruction set.
        num_threads: Threads.

    Returns:
        One result a file, in the order of `Bundle.models`. `require_passed` turns a failure into an error.

    Raises:
        LqFdaRuntimeError: The bundle is damaged, holds no network, or a file cannot be run.
    """
    bundle.check()
    golden = bundle.golden()
    if not golden.outputs:
        raise LqFdaRuntimeError(
            f"The bundle holds no network. Expected {MODEL}. Received: files={sorted(bundle.manifest.files)}.",
            cure="Convert the run again.",
        )
    results = []
    for file, expected in golden.outputs.items():
        found = bundle.session(file, isa=isa, num_threads=num_threads).predict(golden.inputs)
        scale = float(np.sqrt(np.mean(np.square(expected, dtype=np.float64))))
        difference = float(np.abs(found.astype(np.float64) - expected).max())
        if difference:
            difference = difference / scale if scale else np.inf
        results.append(
            Result(
                file=file,
                images=len(expected),
                same_top1=int((found.argmax(1) == expected.argmax(1)).sum()),
                difference=difference if np.isfinite(found).all() else np.inf,
                tolerance=TOLERANCES[file],
            )
        )
    return results


def require_passed(results: list[Result]) -> None:
    """Raises an error that names the files that differ.

    Raises:
        LqFdaRuntimeError: A file differs from its golden outputs by more than its tolerance.
    """
    failed = [result for result in results if not result.passed]
    if failed:
        found = ", ".join(f"{result.file}={result.difference:.2g}" for result in failed)
        raise LqFdaRuntimeError(
            f"This machine does not compute what the converting one did. Expected differences of at most "
            f"{', '.join(f'{result.tolerance:g}' for result in failed)} of the outputs' root mean square. "
            f"Received: {found}.",
            cure="Try --isa portable, and report the difference with the output of `lq-fda-runtime info`.",
        )
