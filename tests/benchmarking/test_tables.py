"""Records as tables: ratios within a device, and how the devices were."""

import io

import pytest
from rich.console import Console

from lq_fda.artifacts import BenchmarkRecord, Bundle, Condition
from lq_fda.benchmarking import device_table, latency_table
from lq_fda.benchmarking.tables import was_throttled


def record(device, file, median, **changes):
    fields = {
        "run": device, "date": "", "device": device, "bundle": "b", "file": file, "sha256": "0" * 64,
        "runtime": "litert", "runtime_version": "2", "threads": 1, "input_shape": (1, 8, 8, 3), "warmups": 20,
        "rounds": 5, "median_ms": median, "p90_ms": median, "min_ms": median, "file_bytes": 1024,
        "environment": {"cpu": "Cortex-A76", "board": "Pi 5", "cores": 4}, "command": "",
    }  # fmt: skip
    return BenchmarkRecord(**{**fields, **changes})


def shown(table, width=160):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_ratios_do_not_cross_devices():
    records = [record(name, file, ms) for name, scale in (("host", 1), ("ssh://pi", 10)) for file, ms in
               ((Bundle.MODEL, 1.0 * scale), (Bundle.INT8, 4.0 * scale))]  # fmt: skip
    text = shown(latency_table(records))
    assert text.count("0.25") == 2 and "ssh://pi" in text
    assert "device" not in shown(latency_table(records[:2])), "one device needs no column"


@pytest.mark.parametrize("names", [("host",), ("host", "ssh://pi@raspberrypi.local")])
def test_no_number_is_cut_at_80_columns(names):
    numbers = {"file_bytes": 43621 << 10, "peak_memory_bytes": 123 << 20, "delegated_nodes": 115, "total_nodes": 116}
    records = [record(name, file, ms, **numbers) for name in names for file, ms in
               ((Bundle.MODEL, 5123.456), (Bundle.INT8, 410.75), (Bundle.FLOAT, 999.5))]  # fmt: skip
    text = shown(latency_table(records), width=80)
    assert "…" not in text
    assert text.count("5123.456") == 2 * len(names) and text.count("115 of 116") == 3 * len(names)


def test_devices_are_shown_as_they_were_before_and_after():
    around = {
        "before": Condition(governor="ondemand", frequency_mhz=(600, 600), temperature_c=48.2, throttling="0x0"),
        "after": Condition(governor="ondemand", frequency_mhz=(1500, 2400), temperature_c=81.0, throttling="0x80008"),
    }
    text = shown(device_table([record("ssh://pi", Bundle.INT8, 1.0, **around), record("host", Bundle.INT8, 1.0)]))
    (pi,) = (line for line in text.splitlines() if "ssh://pi" in line)
    for part in ("Pi 5", "1 of 4", "ondemand", "600 → 1500–2400", "48 → 81", "yes"):  # noqa: RUF001
        assert part in pi, part
    (host,) = (line for line in text.splitlines() if "host" in line)
    assert host.count(" - ") == 4


def test_markup_from_a_device_stays_text():
    odd = record("x", Bundle.INT8, 1.0, runtime="[red]", environment={"board": "[bold]Pi[/bold]", "cores": "[b]"})
    assert "[bold]Pi[/bold]" in shown(device_table([odd])) and "[red]" in shown(latency_table([odd]))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", None), ("", "unknown", None),
        ("0x0", "0x0", False), ("0x50000", "0x50000", False),  # Some time before.
        ("0x0", "0x50000", True), ("0x50005", "0x50005", True), ("0x0", "0x1", True),
        ("12", "12", False), ("12", "13", True),
        ("none", "none", False), ("none", "light", True), ("severe", "none", True),
        ("0x0", "0xffffffffffffff", True),
    ],
)  # fmt: skip
def test_throttling_is_read_from_each_kind_of_device(before, after, expected):
    assert was_throttled(Condition(throttling=before), Condition(throttling=after)) is expected
