"""Interleaved timing: in every round each file runs once, in an order drawn anew, so that what else the machine does
strikes all of them alike."""

import dataclasses
import gc
import random
import time
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np

from lq_fda import runtimes
from lq_fda.artifacts import BenchmarkRecord, Bundle, describe_condition, describe_measurement, usable_cores
from lq_fda.benchmarking.memory import peak_memory
from lq_fda.errors import LqFdaError

HOST = "host"  # What records call this machine.


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How often to run.

    Args:
        warmups: Runs of every file that do not count.
        rounds: Runs of every file that count.
        settle: Runs of a file in front of each that counts, which do not: after its peers ran it takes some runs until
            its weights are back in the caches, as they are in a program that runs one network again and again.
        seed: Of the order inside the rounds, and of the input.

    Raises:
        LqFdaError: Fewer than one round, or a negative number of other runs.
    """

    warmups: int = 20
    rounds: int = 200
    settle: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rounds < 1 or min(self.warmups, self.settle) < 0:
            raise LqFdaError(
                "There is nothing to measure. Expected at least 1 round, and 0 other runs. "
                f"Received: rounds={self.rounds}, warmups={self.warmups}, settle={self.settle}.",
                cure="Choose, say, 200 rounds, 20 warm-ups and settle=8.",
            )


STANDARD = Protocol()


def benchmark(
    bundle: Bundle,
    *,
    threads: Sequence[int] = (1,),
    protocol: Protocol = STANDARD,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[BenchmarkRecord]:
    """Times the 1-bit, int8 and float files of a bundle on this machine, in one process and one run.

    The 1-bit file runs in LCE's interpreter and, where `lq-fda-runtime` is installed, in LiteRT with its delegate.

    Args:
        bundle: Its files are compared with the manifest first.
        threads: Thread counts; each is a run of its own.
        protocol: How often to run.
        progress: Called with the rounds done and the rounds in all.

    Returns:
        One record a file, runtime and thread count. Times are milliseconds for one image, copies in and out included.

    Raises:
        LqFdaError: The bundle is damaged, a runtime is missing, or `threads` is empty or below 1.
    """
    cores = usable_cores()
    if not threads or min(threads) < 1 or max(threads) > cores:
        raise LqFdaError(
            f"A benchmark needs thread counts of at least 1, and no more than the {cores} that this process may use. "
            f"Received: threads={list(threads)}.",
            cure=f"Pass, say, threads=(1, {cores}).",
        )
    bundle.check()
    cases = [(name, runtime) for name, runtime in Bundle.RUNTIMES.items() if name in bundle.manifest.files]
    if Bundle.MODEL in bundle.manifest.files and not runtimes.available()[Bundle.DELEGATE]:
        cases.insert(0, (Bundle.MODEL, Bundle.DELEGATE))
    models = {name: bundle.file(name).read_bytes() for name, _ in cases}
    memory = {(name, runtime): peak_memory(runtime, bundle.file(name)) for name, runtime in cases}
    records = []
    for index, count in enumerate(threads):
        sessions = {case: runtimes.open_session(case[1], models[case[0]], threads=count) for case in cases}
        before = describe_condition()
        times = time_interleaved(
            sessions,
            protocol,
            lambda done, offset=index: progress(offset * protocol.rounds + done, len(threads) * protocol.rounds),
        )
        after = describe_condition()
        shared = {**describe_measurement(), "before": before, "after": after}
        for case, session in sessions.items():
            name = case[0]
            records.append(
                BenchmarkRecord(
                    device=HOST,
                    bundle=bundle.manifest.name,
                    file=name,
                    sha256=bundle.manifest.files[name].sha256,
                    runtime=session.runtime,
                    runtime_version=session.version,
                    settings=session.settings,
                    threads=count,
                    input_shape=session.input_shape,
                    warmups=protocol.warmups,
                    rounds=protocol.rounds,
                    settle=protocol.settle,
                    file_bytes=len(models[name]),
                    peak_memory_bytes=memory[case],
                    delegated_nodes=session.delegated_nodes,
                    total_nodes=session.total_nodes,
                    **summarize(times[case]),
                    **shared,
                )
            )
    return records


def time_interleaved(
    sessions: Mapping[Hashable, runtimes.Session],
    protocol: Protocol,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[Hashable, np.ndarray]:
    """Times files against each other.

    Args:
        sessions: What to run, by name.
        protocol: How often.
        progress: Called with the rounds done.

    Returns:
        Milliseconds of every counted run, by name.
    """
    order = random.Random(protocol.seed)
    generator = np.random.default_rng(protocol.seed)
    images = {name: generator.normal(size=session.input_shape).astype(np.float32) for name, session in sessions.items()}
    for name, session in sessions.items():
        for _ in range(protocol.warmups):
            session.run(images[name])
    times: dict[Hashable, list[int]] = {name: [] for name in sessions}
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


def summarize(milliseconds: np.ndarray) -> dict[str, float]:
    """The fields of a record that tell how long the runs of a file took."""
    return {
        "median_ms": float(np.median(milliseconds)),
        "p90_ms": float(np.quantile(milliseconds, 0.9)),
        "min_ms": float(milliseconds.min()),
    }
