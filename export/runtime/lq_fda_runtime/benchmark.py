"""Interleaved timing: in every round each file runs once, in an order drawn anew, so that what else the machine does
strikes all of them alike. The records are those of lq_fda."""

from __future__ import annotations

import dataclasses
import datetime
import gc
import hashlib
import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lq_fda_runtime import machine
from lq_fda_runtime.bundle import INT8, MODEL, Bundle
from lq_fda_runtime.delegate import available_isas
from lq_fda_runtime.errors import LqFdaRuntimeError
from lq_fda_runtime.interpreter import require_usable_threads
from lq_fda_runtime.litert import runtime_name, runtime_version
from lq_fda_runtime.session import Session

_SEED = 0


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How often to run.

    Args:
        rounds: Runs of every file that count.
        warmups: Runs of every file that do not.
        settle: Runs of a file in front of each that counts, which do not: after its peers ran it takes some runs until
            its weights are back in the caches, as they are in a program that runs one network again and again.

    Raises:
        LqFdaRuntimeError: Fewer than one round, or a negative number of other runs.
    """

    rounds: int = 200
    warmups: int = 20
    settle: int = 8

    def __post_init__(self) -> None:
        if self.rounds < 1 or min(self.warmups, self.settle) < 0:
            raise LqFdaRuntimeError(
                "There is nothing to measure. Expected at least 1 round, and 0 other runs. "
                f"Received: rounds={self.rounds}, warmups={self.warmups}, settle={self.settle}.",
                cure="Choose, say, 200 rounds, 20 warm-ups and settle=8.",
            )


def benchmark(
    path: Path,
    *,
    threads: Sequence[int] = (1,),
    protocol: Protocol = Protocol(),
    isa: str = "auto",
    fuse: bool = True,
    command: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, Any]]:
    """Times a bundle's files, or one `.tflite` file, on this machine, in one process and one run.

    The 1-bit file runs with the delegate, the int8 and float files on the stock runtime with XNNPACK.

    Args:
        path: A bundle, or a `.tflite` file, which runs with the delegate.
        threads: Thread counts; each is a run of its own.
        protocol: How often to run.
        isa: The delegate's instruction set.
        fuse: Whether the delegate may run what lies between binary convolutions too.
        command: What was typed, for the records.
        progress: Called with the rounds done and the rounds in all.

    Returns:
        One record a file and thread count, with the fields of `lq_fda.artifacts.BenchmarkRecord`. Times are
        milliseconds for one image, copies in and out included. Records that share `run` may be compared as ratios.

    Raises:
        LqFdaRuntimeError: The bundle or file is damaged or cannot be run, or a thread count cannot be used.
    """
    if not threads:
        raise LqFdaRuntimeError("Expected thread counts such as 1,2. Received: none.", cure="Pass --threads 1.")
    for count in threads:
        require_usable_threads(count)
    name, contents = _contents(path)
    environment = {**machine.describe(), "isas": list(available_isas())}
    records = []
    for index, count in enumerate(threads):
        sessions = {
            file: Session(
                content,
                name=str(path / file if path.is_dir() else path),
                delegate=_with_delegate(path, file),
                num_threads=count,
                isa=isa,
                fuse=fuse,
            )
            for file, content in contents.items()
        }
        before = machine.condition()
        times = time_interleaved(
            sessions,
            protocol,
            lambda done, offset=index: progress(offset * protocol.rounds + done, len(threads) * protocol.rounds),
        )
        after = machine.condition()
        shared = {
            "kind": "latency",
            "run": uuid.uuid4().hex,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "bundle": name,
            "threads": count,
            **dataclasses.asdict(protocol),
            "before": before,
            "after": after,
            "environment": environment,
            "command": command,
        }
        records += [
            {**shared, "file": file, **_of_file(contents[file], session), **_of_times(times[file])}
            for file, session in sessions.items()
        ]
    return records


def _of_file(content: bytes, session: Session) -> dict[str, Any]:
    """The fields of a record that say what ran."""
    report = session.report
    ours = {"isa": report.isa, "fuse": report.fuse, "lq_fda_nodes": report.taken} if report else {}
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "runtime": "lq_fda" if report else "litert",
        "runtime_version": report.version if report else runtime_version(),
        "settings": {"interpreter": f"{runtime_name()} {runtime_version()}", "xnnpack": True, **ours},
        "input_shape": list(session.input_shape),
        "file_bytes": len(content),
        "peak_memory_bytes": None,
        "delegated_nodes": session.delegated_nodes,
        "total_nodes": session.total_nodes,
    }


def _of_times(milliseconds: np.ndarray) -> dict[str, float]:
    return {
        "median_ms": float(np.median(milliseconds)),
        "p90_ms": float(np.quantile(milliseconds, 0.9)),
        "min_ms": float(milliseconds.min()),
    }


def time_interleaved(
    sessions: Mapping[str, Session], protocol: Protocol, progress: Callable[[int], None] = lambda done: None
) -> dict[str, np.ndarray]:
    """Times files against each other.

    Args:
        sessions: What to run, by name.
        protocol: How often.
        progress: Called with the rounds done.

    Returns:
        Milliseconds of every counted run, by name.
    """
    order, generator = random.Random(_SEED), np.random.default_rng(_SEED)
    images = {name: generator.normal(size=session.input_shape).astype(np.float32) for name, session in sessions.items()}
    for name, session in sessions.items():
        for _ in range(protocol.warmups):
            session.run(images[name])
    times: dict[str, list[int]] = {name: [] for name in sessions}
    names = list(sessions)
    collecting = gc.isenabled()
    gc.disable()  # A collection would fall into somebody's time.
    try:
        for done in range(1, protocol.rounds + 1):
            order.shuffle(names)
            for name in names:
                for _ in range(protocol.settle):
                    sessions[name].run(images[name])
                start = time.perf_counter_ns()
                sessions[name].run(images[name])
                times[name].append(time.perf_counter_ns() - start)
            progress(done)
    finally:
        if collecting:
            gc.enable()
    return {name: np.array(nanoseconds) / 1e6 for name, nanoseconds in times.items()}


def ratio_to_int8(record: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> float | None:
    """Median time as a multiple of the int8 file's in the same run, or None if that is not among the records."""
    for peer in records:
        if peer["run"] == record["run"] and peer["file"] == INT8:
            return record["median_ms"] / peer["median_ms"]
    return None


def append_records(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Appends records to a file, one JSON object a line.

    Raises:
        LqFdaRuntimeError: The file cannot be written.
    """
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    try:
        with path.open("ab", buffering=0) as file:
            file.write(lines.encode())  # In one go: another program may append, too.
    except OSError as error:
        raise LqFdaRuntimeError(
            f"Could not write the records. Received: path={str(path)!r} ({error.strerror or error}).",
            cure="Choose another output file.",
        ) from error


def _contents(path: Path) -> tuple[str, dict[str, bytes]]:
    """The name of what is timed, and the content of its files."""
    if path.is_dir():
        bundle = Bundle(path)
        if MODEL not in bundle.models():
            raise LqFdaRuntimeError(
                f"The bundle holds no 1-bit network. Expected {MODEL}. Received: {sorted(bundle.manifest.files)}.",
                cure="Convert the run again.",
            )
        return bundle.manifest.name, {name: bundle.read(name) for name in bundle.models()}
    try:
        return path.stem, {path.name: path.read_bytes()}
    except OSError as error:
        raise LqFdaRuntimeError(
            f"The model cannot be read. Expected a bundle or a .tflite file. "
            f"Received: path={str(path)!r} ({error.strerror or error}).",
            cure="Check the path.",
        ) from error


def _with_delegate(path: Path, file: str) -> bool:
    return file == MODEL or not path.is_dir()
