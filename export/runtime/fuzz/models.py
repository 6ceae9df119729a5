"""Damaged models in the stock interpreter with the delegate: each is refused, or runs, but never crashes it.

    python fuzz/models.py --seconds 600 bundle/model.tflite        # and those in fuzz/corpus/models
    python fuzz/models.py --count 1000 --seed 7 bundle/model.tflite
    python fuzz/models.py --seed 7 --only 412 bundle/model.tflite  # one again, with a readable stack

Every model runs in a child process of its own, which has a time and a memory limit. With a library that is built with
AddressSanitizer, as `check.sh models` does it, a crash tells whose code it is in: what the stock runtime does to itself
is counted apart and is no failure. Where no stack tells it, the crash is the runtime's if the file crashes it without
LCE's operators and without the delegate too.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
from mutate import mutate, without_lce
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from trial import Limits, Outcome, in_child, reserved, sanitized

from lq_fda_runtime import Interpreter, LqFdaRuntimeError, library_path
from lq_fda_runtime.delegate import VARIABLE, available_isas
from lq_fda_runtime.litert import interpreter_module
from lq_fda_runtime.machine import usable_cores

HERE = Path(__file__).resolve().parent
# Running a model that reserves more would say nothing new about it, and take the time of hundreds of others.
_MOST_RESERVED = 64 << 20
_SHOWN = 12  # Lines.
_SIZES = (1, 2, 3, 5, 8, 33, 0, 1000, 1 << 30)
# What an interpreter may answer; anything else is a failure.
_REFUSALS = (LqFdaRuntimeError, RuntimeError, ValueError, MemoryError)


def exercise(content: bytes, chance: Random, with_delegate: bool = True) -> tuple[str, str]:
    """Loads and runs a file as a program would that does not know it; returns a verdict and why."""
    threads, isa = chance.choice((1, 1, min(2, usable_cores()))), chance.choice(("auto", *available_isas()))
    options = {"isa": isa, "fuse": chance.random() < 0.8, "profile": chance.random() < 0.2} if with_delegate else {}
    interpreter_class = Interpreter if with_delegate else interpreter_module().Interpreter
    before = reserved()
    try:
        interpreter = interpreter_class(model_content=content, num_threads=threads, **options)
        interpreter.allocate_tensors()
    except _REFUSALS as error:
        return "refused", str(error)
    for _ in range(2):
        if with_delegate:
            interpreter.report()  # Whatever has happened, it can be read.
        if reserved() - before > _MOST_RESERVED:
            return "large", ""
        try:
            _fill(interpreter, chance)
            interpreter.invoke()
            for detail in interpreter.get_output_details():
                interpreter.get_tensor(detail["index"])
            _resize(interpreter, chance)
        except _REFUSALS as error:
            return "stopped", str(error)
    del interpreter  # Here, so that a crash of the destructor counts.
    return "ran", ""


def _fill(interpreter: Interpreter, chance: Random) -> None:
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"].tolist(), np.dtype(detail["dtype"])
        if dtype.kind not in "biuf":
            continue
        values = np.frombuffer(chance.randbytes(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)
        interpreter.set_tensor(detail["index"], values.view(np.int8) % 2 == 0 if dtype == np.bool_ else values)


def _resize(interpreter: Interpreter, chance: Random) -> None:
    details = interpreter.get_input_details()
    if not details:
        return
    detail = chance.choice(details)
    shape = detail["shape"].tolist()
    if shape:
        shape[chance.randrange(len(shape))] = chance.choice(_SIZES)
    interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()


def corpus() -> list[Path]:
    """Small intact models."""
    return sorted((HERE / "corpus" / "models").glob("*.tflite"))


def try_one(models: list[Path], seed: int, index: int, limits: Limits) -> Outcome:
    """The model that a seed and an index stand for, in a child."""

    def action(with_delegate: bool = True) -> tuple[str, str]:
        content = damaged(models, seed, index)
        content = content if with_delegate else without_lce(content)
        return exercise(content, Random(f"{seed} {index} run"), with_delegate)

    outcome = in_child(action, limits)
    if outcome.ours and not outcome.place:
        # No stack is left that would tell whose it is: LiteRT writes beyond its own stack too.
        alone = in_child(lambda: action(with_delegate=False), limits)
        if alone.verdict == outcome.verdict and not alone.raised:
            return dataclasses.replace(outcome, place="a file without LCE's operators too", ours=False)
    return outcome


def damaged(models: list[Path], seed: int, index: int) -> bytes:
    return mutate(models[index % len(models)].read_bytes(), f"{seed} {index}")


@dataclasses.dataclass
class Tally:
    """What has become of the models so far."""

    verdicts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    failures: list[int] = dataclasses.field(default_factory=list)
    # The runtime's own crashes: the indices by the place.
    elsewhere: dict[str, list[int]] = dataclasses.field(default_factory=dict)

    def add(self, index: int, outcome: Outcome) -> None:
        verdict = outcome.verdict
        if outcome.ours:
            self.failures.append(index)
        elif outcome.place:
            self.elsewhere.setdefault(f"{verdict} in {outcome.place}", []).append(index)
            verdict = "failed in the runtime"
        elif verdict == "refused":
            verdict = f"refused by the {'delegate' if 'lq_fda:' in outcome.details else 'runtime'}"
        self.verdicts[verdict] += 1

    def total(self) -> int:
        return self.verdicts.total()

    def __str__(self) -> str:
        return ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items()))


def under_sanitizer() -> None:
    """Starts this program again with the sanitizer's library in front, if the delegate needs it; then it returns."""
    if sanitized() or b"__asan_init" not in library_path().read_bytes():
        return
    compiler = os.environ.get("CXX", "g++")
    if not shutil.which(compiler):
        sys.exit(f"The library's compiler is missing. Received: {compiler!r}. Install it, or set CXX to another g++.")
    # Without the C++ library beside it, the sanitizer does not find what throws exceptions.
    found = [
        subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libstdc++.so")
    ]
    # Names take long to find. The place in the library, by which a crash is told, stands in every line.
    stack = f"symbolize={int('--only' in sys.argv)}:stack_trace_format='    #%n %p %F %L %M'"
    options = {
        "LD_PRELOAD": ":".join(found),
        "ASAN_OPTIONS": "detect_leaks=0:alloc_dealloc_mismatch=0:allocator_may_return_null=1:handle_abort=1:"
        f"max_allocation_size_mb={Limits().megabytes // 8}:{stack}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{stack}",
        "OPENBLAS_NUM_THREADS": "1",  # A fork has no use for its threads.
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | options)


def keep(models: list[Path], seed: int, index: int, outcome: Outcome, folder: Path) -> Path:
    """Writes the file that failed, and beside it what was written about it; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed}-{index}.tflite"
    for target, content in ((path, damaged(models, seed, index)), (path.with_suffix(".txt"), outcome.details.encode())):
        partial = target.with_name(f"{target.name}.tmp")
        partial.write_bytes(content)
        partial.replace(target)
    return path


def excerpt(details: str) -> str:
    """Where a report begins to tell what is wrong; without a report, the end."""
    lines = details.splitlines()
    starts = [at for at, line in enumerate(lines) if "ERROR: " in line or "runtime error: " in line]
    return "\n".join(lines[starts[0] :][:_SHOWN] if starts else lines[-_SHOWN:])


def run(models: list[Path], seed: int, indices: range, seconds: float, limits: Limits, folder: Path) -> Tally:
    """Tries one model after the other until the time is over or `indices` ends."""
    tally, start = Tally(), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # Without a thread that refreshes: a fork would copy its locks.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        bar = progress.add_task("models", total=1.0)
        for index in indices:
            outcome = try_one(models, seed, index, limits)
            tally.add(index, outcome)
            if outcome.ours:
                path = keep(models, seed, index, outcome, folder)
                progress.console.print(
                    f"{path}: {outcome.verdict} {outcome.place}\n{excerpt(outcome.details)}\n"
                    f"Again: --seed {seed} --only {index} and the same models.",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
            elapsed = time.monotonic() - start
            done = max(elapsed / seconds, tally.total() / len(indices))
            progress.update(bar, completed=done, description=f"{tally.total()} models", refresh=True)
            if elapsed >= seconds:
                break
    return tally


def main() -> None:
    introduction, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=introduction, epilog=f"examples:\n{rest}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL", help="intact files, beside the corpus's")
    parser.add_argument("--seconds", type=float, help="how long (default: 60, or as long as --count takes)")
    parser.add_argument("--count", type=int, help="how many models (default: as many as fit)")
    parser.add_argument("--seed", type=int, default=0, help="what is damaged (default: 0)")
    parser.add_argument("--only", type=int, metavar="INDEX", help="this one of the seed's models")
    parser.add_argument("--library", type=Path, help="a delegate to test (default: the installed one)")
    parser.add_argument(
        "--found", type=Path, default=HERE.parent / "build" / "found-models", metavar="DIR",
        help="where to put what fails (default: %(default)s)",
    )  # fmt: skip
    arguments = parser.parse_args()
    for name, value in (("seconds", arguments.seconds), ("count", arguments.count)):
        if value is not None and value <= 0:
            parser.error(f"--{name} is not positive: {value}; leave it out or pass a larger number")
    for path in arguments.models:
        if not path.is_file():
            parser.error(f"the model is missing: {str(path)!r}; name a .tflite file")
    if arguments.library:
        os.environ[VARIABLE] = str(arguments.library.resolve())
    under_sanitizer()
    models = [*corpus(), *arguments.models]
    if arguments.only is not None:
        indices = range(arguments.only, arguments.only + 1)
    else:
        indices = range(sys.maxsize if arguments.count is None else arguments.count)
    seconds = arguments.seconds
    if seconds is None:
        seconds = 60.0 if len(indices) == sys.maxsize else float("inf")
    start = time.monotonic()
    tally = run(models, arguments.seed, indices, seconds, Limits(), arguments.found)
    for place, found in tally.elsewhere.items():
        print(f"the runtime's own: {len(found)} {place}, such as --only {found[0]}")
    took = time.monotonic() - start
    print(f"fuzz models: {tally.total()} executions in {took:.0f} s, seed {arguments.seed}: {tally}")
    if tally.failures:
        sys.exit(f"{len(tally.failures)} models made the delegate fail. They are in {arguments.found}.")


if __name__ == "__main__":
    main()
