"""Records of what was measured: one JSON object a line, appended and never rewritten."""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import pydantic
from pydantic import Field

from lq_fda.artifacts.files import parse_json, write_atomic
from lq_fda.errors import LqFdaError

_Record = TypeVar("_Record", bound=pydantic.BaseModel)


class Condition(pydantic.BaseModel):
    """What may change on a device while one measures; None or empty where it does not say.

    `frequency_mhz` has the slowest and the fastest processor's clock, `temperature_c` the hottest sensor's temperature.
    `throttling` is the device's own word: the bits of `vcgencmd get_throttled` on a Raspberry Pi, Android's thermal
    status, else how often the processor has been throttled for its heat since it was started.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    governor: str = ""
    frequency_mhz: tuple[int, int] | None = None
    temperature_c: float | None = None
    throttling: str = ""


class BenchmarkRecord(pydantic.BaseModel):
    """The latency of one file on one runtime, from one interleaved run.

    Times are milliseconds an image. `run` is shared by the records that were measured together: only those
    may be compared as ratios. `device` is where it ran, as `lq-fda benchmark --device` names it; empty where another
    program wrote the record. `before` and `after` say how the device was around the run.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: str = "latency"
    run: str
    date: str
    device: str = ""
    bundle: str
    file: str
    sha256: str
    runtime: str
    runtime_version: str
    settings: dict[str, Any] = {}
    threads: int = Field(ge=1)
    input_shape: tuple[int, ...]
    warmups: int = Field(ge=0)
    rounds: int = Field(ge=1)
    settle: int = Field(default=0, ge=0)
    median_ms: float = Field(gt=0)
    p90_ms: float = Field(gt=0)
    min_ms: float = Field(gt=0)
    file_bytes: int = Field(ge=0)
    peak_memory_bytes: int | None = None
    delegated_nodes: int | None = None
    total_nodes: int | None = None
    before: Condition | None = None
    after: Condition | None = None
    environment: dict[str, Any]
    command: str


class PeerRecord(pydantic.BaseModel):
    """How long one form of a network took; compare only with records of the same `run`.

    Args:
        form: `1-bit` with no parts or all of them, or a twin.
        median_ms: Of one image; `min_ms` and `p90_ms` likewise.
        delegated_nodes: How many of the operators a delegate took, of `total_nodes`.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kind: Literal["peer"] = "peer"
    run: str
    date: str
    model: str
    input_shape: tuple[int, ...]
    form: Literal["1-bit", "1-bit, all parts", "int8", "float"]
    runtime: str
    runtime_version: str
    settings: dict[str, Any]
    threads: int
    warmups: int
    rounds: int
    settle: int
    median_ms: float
    min_ms: float
    p90_ms: float
    file_bytes: int
    delegated_nodes: int | None
    total_nodes: int | None
    environment: dict[str, Any]
    command: str


class TrainingSpeed(pydantic.BaseModel):
    """The training speed of one recipe; compare only with records of the same `run`.

    Args:
        images_per_second: Median over the rounds.
        slowest: Of the slowest round.
        fastest: Of the fastest round.
        steps: Training steps of a round.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kind: Literal["training_speed"] = "training_speed"
    run: str
    date: str
    case: str
    model: dict[str, Any]
    precision: str
    optimizer: str
    batch_size: int
    steps: int
    rounds: int
    images_per_second: float
    slowest: float
    fastest: float
    environment: dict[str, Any]
    command: str


def append_record(path: Path, record: pydantic.BaseModel) -> None:
    """Appends one line, whole or not at all.

    Raises:
        LqFdaError: The file cannot be written; the records in it are unchanged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:
            _append(file, f"{record.model_dump_json()}\n".encode())
    except OSError as error:
        raise LqFdaError(
            f"Could not write a record. Expected a writable file. Received: path={str(path)!r} ({error.strerror}).",
            cure="Choose another output folder or free some space.",
        ) from error


def _append(file: io.FileIO, line: bytes) -> None:
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":  # Somebody was killed in the middle of a line: it must not spoil this one.
            line = b"\n" + line
    try:
        while line:
            line = line[file.write(line) :]
    except OSError:
        file.truncate(end)
        raise


def write_records(path: Path, records: Iterable[pydantic.BaseModel]) -> None:
    """Writes records to a file of their own.

    Raises:
        LqFdaError: The file cannot be written; what stood there is unchanged.
    """
    write_atomic(path, "".join(f"{record.model_dump_json()}\n" for record in records))


def read_records(path: Path, kind: type[_Record] = BenchmarkRecord) -> Iterator[_Record]:
    """Yields the records of a file.

    Args:
        path: A `.jsonl` file.
        kind: What its lines are.

    Raises:
        LqFdaError: The file cannot be read, or a line is no such record; the message names it.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise LqFdaError(
            f"The records cannot be read. Received: path={str(path)!r} ({error.strerror}).",
            cure="Check the path, or measure again.",
        ) from error
    with file:
        for number, line in enumerate(file, start=1):
            try:
                yield kind.model_validate(parse_json(line))
            except (ValueError, RecursionError) as error:
                raise LqFdaError(
                    f"A line is no record. Expected a {kind.__name__}. Received: {path}:{number} ({error}).",
                    cure="Remove the line, or measure again.",
                ) from error
