"""Records for people: a table with ratios to int8, and one of the devices they are from."""

import re
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Column, Table

from lq_fda.artifacts import BenchmarkRecord, Bundle, Condition

_LABELS = {Bundle.MODEL: "1-bit", Bundle.INT8: "int8", Bundle.FLOAT: "float"}
_BITS = re.compile(r"0x[0-9a-f]{1,8}")
_THROTTLED_NOW = 0xF  # Of the bits of vcgencmd; the others are of the time since the board was started.


def ratio_to_int8(record: BenchmarkRecord, records: Sequence[BenchmarkRecord]) -> float | None:
    """Median time as a multiple of the int8 twin's in the same run, or None if that is not among the records."""
    for peer in records:
        if peer.run == record.run and peer.file == Bundle.INT8:
            return record.median_ms / peer.median_ms
    return None


def latency_table(records: Sequence[BenchmarkRecord]) -> Table:
    """One row a file, runtime and thread count, with the memory that it needs and the operators that a delegate runs.

    Ratios are only between records of one run, and so of one device; over several devices size and memory are left out.
    """
    versions = dict.fromkeys(f"{record.runtime} {record.runtime_version}" for record in records)
    several = len({record.device for record in records}) > 1
    table = Table(
        title="Latency, milliseconds an image",
        caption=escape(", ".join(versions)),
        collapse_padding=True,  # A terminal of 80 columns shows every number whole.
        pad_edge=False,
    )
    if several:
        table.add_column("device", overflow="fold")  # The one that gives way where the terminal is narrow.
    for column in ("file", "runtime"):
        table.add_column(column, no_wrap=True)
    # The size is the same on every device, and memory is measured on this machine alone.
    for column in ("threads", "median", "p90", "x int8", *(() if several else ("KiB", "MiB")), "delegated"):
        table.add_column(column, justify="right", no_wrap=True)
    previous = None
    for record in records:
        if record.device != previous:
            table.add_section()
        ratio = ratio_to_int8(record, records)
        memory = record.peak_memory_bytes
        size = (f"{record.file_bytes / 1024:.0f}", "-" if memory is None else f"{memory / 2**20:.1f}")
        delegated = None if record.delegated_nodes is None else f"{record.delegated_nodes} of {record.total_nodes}"
        table.add_row(
            *([escape(record.device) if record.device != previous else ""] if several else []),
            _LABELS.get(record.file, escape(record.file)),
            escape(record.runtime),
            str(record.threads),
            f"{record.median_ms:.3f}",
            f"{record.p90_ms:.3f}",
            "-" if ratio is None else f"{ratio:.2f}",
            *(() if several else size),
            delegated or "-",
        )
        previous = record.device
    return table


def device_table(records: Sequence[BenchmarkRecord]) -> Table:
    """One row a run: the device, and how its clock and temperature were before and after."""
    table = Table(Column("device", overflow="fold"), "processor", title="Devices, before and after each run")
    for column in ("threads", "governor", "MHz", "°C", "throttled"):
        table.add_column(column, justify="right", no_wrap=True)
    for record in {record.run: record for record in records}.values():
        before, after = record.before or Condition(), record.after or Condition()
        environment = record.environment
        table.add_row(
            escape(record.device or "-"),
            escape(str(environment.get("board") or environment.get("cpu") or "-")[:60]),
            f"{record.threads} of {escape(str(environment.get('cores', '?'))[:5])}",
            escape(after.governor[:20] or "-"),
            _change(_clock(before), _clock(after)),
            _change(_degrees(before), _degrees(after)),
            {None: "-", False: "no", True: "yes"}[was_throttled(before, after)],
        )
    return table


def was_throttled(before: Condition, after: Condition) -> bool | None:
    """Whether the device had to slow down, for its heat or its power supply; None where it does not say.

    ```python
    from lq_fda.artifacts import Condition
    from lq_fda.benchmarking.tables import was_throttled

    assert was_throttled(Condition(throttling="0x0"), Condition(throttling="0x80000"))  # a Pi at its temperature limit
    assert not was_throttled(Condition(throttling="none"), Condition(throttling="none"))  # a cool phone
    ```
    """
    first, last = before.throttling, after.throttling
    if not last or last == "unknown":
        return None
    if _BITS.fullmatch(last):
        return bool(int(last, 16) & _THROTTLED_NOW) or last != first
    if last.isdecimal():
        return last != first
    return (first, last) != ("none", "none")


def _clock(condition: Condition) -> str:
    clocks = condition.frequency_mhz
    return "" if clocks is None else "–".join(map(str, dict.fromkeys(clocks)))  # noqa: RUF001


def _degrees(condition: Condition) -> str:
    return "" if condition.temperature_c is None else f"{condition.temperature_c:.0f}"


def _change(first: str, last: str) -> str:
    return f"{first or '?'} → {last}" if last else "-"
