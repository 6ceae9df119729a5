"""What goes to a device of a bundle, and what may come back."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from lq_fda.artifacts import BenchmarkRecord, Bundle
from lq_fda.benchmarking.latency import Protocol
from lq_fda.errors import LqFdaError

Threads = Sequence[int | Literal["all"]]

_TURNS = ("rounds", "warmups", "settle")
_RUNTIMES = ("lq_fda", "litert")
_WANTED = (Bundle.MODEL, Bundle.INT8, Bundle.FLOAT, Bundle.LABELS, Bundle.GOLDEN)


def bundle_files(bundle: Bundle) -> dict[str, bytes]:
    """The content of the files that a device needs, each compared with the manifest as it was read.

    Raises:
        LqFdaError: The bundle holds no 1-bit network, or is damaged.
    """
    if Bundle.MODEL not in bundle.manifest.files:
        raise LqFdaError(
            f"The bundle holds no 1-bit network. Expected {Bundle.MODEL}. Received: {sorted(bundle.manifest.files)}.",
            cure="Convert the run again.",
        )
    bundle.check()
    files = {name: bundle.file(name).read_bytes() for name in _WANTED if name in bundle.manifest.files}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != bundle.manifest.files[name].sha256:
            raise LqFdaError(
                f"The bundle was changed while it was read. Received: {str(bundle.file(name))!r}.",
                cure="Run the same command again.",
            )
    return {Bundle.MANIFEST: (bundle.path / Bundle.MANIFEST).read_bytes(), **files}


def require_asked(record: BenchmarkRecord, bundle: Bundle, threads: Threads, protocol: Protocol) -> None:
    """Refuses a record of something that was not asked for.

    Raises:
        LqFdaError: It is of another file, runtime, protocol or thread count.
    """
    entry = bundle.manifest.files.get(record.file)
    if (
        entry is None
        or record.sha256 != entry.sha256
        or record.bundle != bundle.manifest.name
        or record.runtime not in _RUNTIMES
        or any(getattr(record, name) != getattr(protocol, name) for name in _TURNS)
        or not ("all" in threads or record.threads in threads)
    ):
        raise LqFdaError(
            f"The device sent a record of something else. Expected a file of {bundle.manifest.name!r} in one of "
            f"{list(_RUNTIMES)}, {_turns(protocol)} and threads {list(threads)}. Received: "
            f"bundle={record.bundle!r}, file={record.file!r}, sha256={record.sha256!r}, runtime={record.runtime!r}, "
            f"{_turns(record)}, threads={record.threads}.",
            cure="See that the device is the one that you mean, and that it runs this version.",
        )


def _turns(one: Protocol | BenchmarkRecord) -> str:
    return ", ".join(f"{name}={getattr(one, name)}" for name in _TURNS)


def require_complete(records: Sequence[BenchmarkRecord], bundle: Bundle, threads: Threads) -> None:
    """Refuses a device's result that lacks a file or a thread count.

    Args:
        records: All that it sent, each one asked for.
        bundle: What it has measured.
        threads: Thread counts.

    Raises:
        LqFdaError: Something is missing.
    """
    files = [name for name in (Bundle.MODEL, Bundle.INT8, Bundle.FLOAT) if name in bundle.manifest.files]
    there = {(record.file, record.threads) for record in records}
    counts = {record.threads for record in records} | {count for count in threads if count != "all"}
    missing = [(file, count) for count in sorted(counts) for file in files if (file, count) not in there]
    if missing or not there:
        lacking = "".join(f", without {file} at threads={count}" for file, count in missing)
        raise LqFdaError(
            "The device says that it has ended, but it has not sent everything. "
            f"Received: {len(records)} records{lacking}.",
            cure="See that the device is the one that you mean, and that it runs this version.",
        )
