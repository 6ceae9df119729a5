"""What LiteRT's own tool `benchmark_model` prints, as records.

It times one file after the other, each in a process of its own: its numbers are not interleaved, carry no ratio, and do
not go into one table with those of `lq-fda benchmark`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import Field
from rich.markup import escape
from rich.table import Table

from lq_fda.errors import LqFdaError, printable, reason

_LARGEST = 1 << 24
_NUMBER = r"(\d{1,15}(?:\.\d{1,9})?(?:e[+-]?\d{1,2})?)"
_START = re.compile(r"STARTING!|Log parameter values verbosely:")
_GRAPH = re.compile(r"Graph: \[(.{1,1000})\]$")
_THREADS = re.compile(r"Num threads: \[(-?\d{1,4})\]$")
_DELEGATED = re.compile(
    r"Replacing (\d{1,6}) out of (\d{1,6}) node\(s\) with delegate \((\w{1,100})\) node, yielding (\d{1,6}) partitions"
)
_STATISTICS = re.compile(r"count=(\d{1,9})\b")
_STATISTIC = re.compile(rf"\b(first|curr|min|max|avg|std|p5|median|p95)={_NUMBER}")
_END = re.compile(
    rf"Inference timings in us: Init: {_NUMBER}, First inference: {_NUMBER}, Warmup \(avg\): {_NUMBER}, "
    rf"Inference \(avg\): {_NUMBER}"
)


class BenchmarkModelRecord(pydantic.BaseModel):
    """One run of `benchmark_model`. Times are milliseconds; what the log does not say is None.

    Older versions of the tool print no median. `threads` is None where the tool chose, which then takes one.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["benchmark_model"] = "benchmark_model"
    interleaved: Literal[False] = False
    log: str
    file: str
    threads: int | None = None
    rounds: int = Field(ge=1)
    mean_ms: float = Field(gt=0)
    min_ms: float | None = None
    max_ms: float | None = None
    std_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None
    init_ms: float = Field(ge=0)
    first_ms: float = Field(ge=0)
    warmup_mean_ms: float = Field(ge=0)
    delegate: str | None = None
    delegated_nodes: int | None = None
    total_nodes: int | None = None


def read_benchmark_model(log: Path) -> list[BenchmarkModelRecord]:
    r"""Reads a log of `benchmark_model`, also one out of `adb logcat`, with one run or more.

    Args:
        log: What the tool printed, up to 16 MiB. Its CSV and its protocol buffers hold other things: the profile by
            operator.

    Raises:
        LqFdaError: The file cannot be read, holds no finished run, or one that contradicts itself.

    ```python
    from pathlib import Path
    from lq_fda.benchmarking import read_benchmark_model

    Path("log.txt").write_text(
        "Graph: [int8.tflite]\n"
        "count=50 first=1200 curr=1100 min=1000 max=1300 avg=1150 std=30\n"
        "Inference timings in us: Init: 900, First inference: 2000, Warmup (avg): 1500, Inference (avg): 1150\n"
    )
    (record,) = read_benchmark_model(Path("log.txt"))
    assert record.mean_ms == 1.15 and record.median_ms is None
    ```
    """
    try:
        if log.stat().st_size > _LARGEST:
            raise ValueError(f"more than {_LARGEST >> 20} MiB")
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        records = list(_runs(lines, log.name))
    except OSError as error:
        raise _unreadable(log, error.strerror or reason(error)) from error
    except ValueError as error:
        raise _unreadable(log, reason(error)) from error
    if not records:
        raise _unreadable(log, "no line 'Inference timings in us'")
    return records


def _unreadable(log: Path, why: str) -> LqFdaError:
    return LqFdaError(
        f"The log cannot be read. Expected what benchmark_model prints, to its end. "
        f"Received: {str(log)!r} ({printable(why)}).",
        cure="Keep all of it: `benchmark_model --graph=model.tflite 2>&1 | tee log.txt`.",
    )


def _runs(lines: Sequence[str], log: str) -> Iterator[BenchmarkModelRecord]:
    """Every run ends with its summary; what stands between two of them is of the second."""
    found: dict[str, Any] = {}
    statistics = ""
    for line in lines:
        if _START.search(line):
            found, statistics = {}, ""  # The one before was broken off.
        elif graph := _GRAPH.search(line):
            found["file"] = printable(re.split(r"[/\\]", graph[1])[-1])
        elif threads := _THREADS.search(line):
            found["threads"] = int(threads[1]) if int(threads[1]) > 0 else None
        elif delegated := _DELEGATED.search(line):
            # A second delegate is offered what the first one has left.
            found["delegated_nodes"] = found.get("delegated_nodes", 0) + int(delegated[1])
            found.setdefault("total_nodes", int(delegated[2]))
            found["delegate"] = ", ".join(filter(None, (found.get("delegate"), delegated[3])))
        elif _STATISTICS.search(line):
            statistics = line  # First those of the warm-up, then those that count.
        elif end := _END.search(line):
            yield _record(found, statistics, end, log)
            found, statistics = {}, ""


def _record(found: dict[str, Any], statistics: str, end: re.Match[str], log: str) -> BenchmarkModelRecord:
    init, first, warmup, mean = (float(value) / 1000 for value in end.groups())
    counted = _STATISTICS.search(statistics)
    if not counted:
        raise ValueError("a run without its line 'count='")
    values = {name: float(value) / 1000 for name, value in _STATISTIC.findall(statistics)}
    if "avg" not in values and "curr" in values:  # All runs took the same time: the tool prints it once.
        values |= dict.fromkeys(("min", "max", "avg"), values["curr"])
    # The summary rounds to six digits, as the other line does.
    if abs(values.get("avg", mean) - mean) > 1e-5 * mean:
        raise ValueError(f"a mean of {values['avg']} ms, and {mean} ms in the summary")
    names = {"min": "min_ms", "max": "max_ms", "std": "std_ms", "median": "median_ms", "p95": "p95_ms"}
    return BenchmarkModelRecord(
        log=printable(log),
        **{"file": "unknown", **found},
        rounds=int(counted[1]),
        mean_ms=mean,
        init_ms=init,
        first_ms=first,
        warmup_mean_ms=warmup,
        **{field: values[name] for name, field in names.items() if name in values},
    )


def benchmark_model_table(records: Sequence[BenchmarkModelRecord]) -> Table:
    """One row a run, without ratios: the runs were not interleaved."""
    table = Table(
        title="benchmark_model, milliseconds an image, not interleaved",
        caption="Each file was timed by itself: what else the device did struck them differently. Ratios need "
        "`lq-fda benchmark`.",
    )
    table.add_column("file")
    for column in ("threads", "median", "mean", "p95", "min", "runs", "delegated"):
        table.add_column(column, justify="right", no_wrap=True)
    for record in records:
        times = (record.median_ms, record.mean_ms, record.p95_ms, record.min_ms)
        table.add_row(
            escape(record.file),
            str(record.threads or "-"),
            *("-" if time is None else f"{time:.3f}" for time in times),
            str(record.rounds),
            "-" if record.total_nodes is None else f"{record.delegated_nodes} of {record.total_nodes}",
        )
    return table
