"""Records for people: a table with ratios to int8."""

from collections.abc import Sequence

from rich.table import Column, Table

from lq_fda.artifacts import BenchmarkRecord, Bundle

_LABELS = {Bundle.MODEL: "1-bit", Bundle.INT8: "int8", Bundle.FLOAT: "float"}


def ratio_to_int8(record: BenchmarkRecord, records: Sequence[BenchmarkRecord]) -> float | None:
    """Median time as a multiple of the int8 twin's in the same run, or None if that is not among the records."""
    for peer in records:
        if peer.run == record.run and peer.file == Bundle.INT8:
            return record.median_ms / peer.median_ms
    return None


def latency_table(records: Sequence[BenchmarkRecord]) -> Table:
    """One row a file, runtime and thread count, with the memory that it needs and the operators that a delegate runs.

    Ratios are only between records of one run.
    """
    versions = dict.fromkeys(f"{record.runtime} {record.runtime_version}" for record in records)
    table = Table(
        *(Column(name, no_wrap=True) for name in ("file", "runtime")),
        title="Latency, milliseconds an image",
        caption=", ".join(versions),
    )
    for column in ("threads", "median", "p90", "x int8", "KiB", "MiB", "delegated"):
        table.add_column(column, justify="right", no_wrap=True)
    for record in records:
        ratio = ratio_to_int8(record, records)
        memory = record.peak_memory_bytes
        table.add_row(
            _LABELS.get(record.file, record.file),
            record.runtime,
            str(record.threads),
            f"{record.median_ms:.3f}",
            f"{record.p90_ms:.3f}",
            "-" if ratio is None else f"{ratio:.2f}",
            f"{record.file_bytes / 1024:.0f}",
            "-" if memory is None else f"{memory / 2**20:.1f}",
            "-" if record.total_nodes is None else f"{record.delegated_nodes} of {record.total_nodes}",
        )
    return table
