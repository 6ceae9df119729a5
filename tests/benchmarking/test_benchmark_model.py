"""Logs of LiteRT's benchmark_model: written here line by line in the formats that its versions print."""

import pytest
from typer.testing import CliRunner

from lq_fda.benchmarking import benchmark_model_table, read_benchmark_model
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

WARMUP = "count=4 first=9000 curr=2100 min=2000 max=9000 avg=3775 std=3000"
COUNTED = "count=50 first=2200 curr=2000 min=1900 max=2600 avg=2050.5 std=90"
SUMMARY = "Inference timings in us: Init: 12345, First inference: 9000, Warmup (avg): 3775, Inference (avg): 2050.5"


def log(*lines, prefix=""):
    return "".join(f"{prefix}{line}\n" for line in lines)


OLD = log(
    "STARTING!", "Log parameter values verbosely: [0]", "Num threads: [4]", "Graph: [/data/local/tmp/int8.tflite]",
    "The input model file size (MB): 0.08", "Initialized session in 12.345ms.", WARMUP, "", COUNTED, "", SUMMARY,
    "Memory footprint delta from the start of the tool (MB): init=2 overall=3",
)  # fmt: skip
NEW = log(
    "STARTING!", "Log parameter values verbosely: [0]", "Num threads: [1]", "Graph: [float.tflite]",
    "Replacing 13 out of 15 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions for subgraph 0.",
    f"{WARMUP} p5=2000 median=2100 p95=9000", f"{COUNTED} p5=1950 median=2010 p95=2300", SUMMARY,
    prefix="INFO: ",
)  # fmt: skip


def read(tmp_path, text):
    path = tmp_path / "log.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_benchmark_model(path)


def test_an_old_version_has_a_mean_but_no_median(tmp_path):
    (record,) = read(tmp_path, OLD)
    assert (record.file, record.threads, record.rounds) == ("int8.tflite", 4, 50)
    assert (record.mean_ms, record.min_ms, record.max_ms, record.std_ms) == (2.0505, 1.9, 2.6, 0.09)
    assert (record.init_ms, record.first_ms, record.warmup_mean_ms) == (12.345, 9.0, 3.775)
    assert record.median_ms is None and record.p95_ms is None and record.total_nodes is None
    assert record.interleaved is False and record.log == "log.txt"


@pytest.mark.parametrize("prefix", ["", "07-14 13:14:52.097 22838 22838 I tflite  : "])
def test_a_new_version_also_out_of_logcat(tmp_path, prefix):
    (record,) = read(tmp_path, log(*NEW.splitlines(), prefix=prefix))
    assert (record.median_ms, record.p95_ms, record.mean_ms) == (2.01, 2.3, 2.0505)
    assert (record.delegate, record.delegated_nodes, record.total_nodes) == ("TfLiteXNNPackDelegate", 13, 15)


def test_several_runs_stay_apart(tmp_path):
    records = read(tmp_path, OLD + NEW)
    assert [(record.file, record.median_ms) for record in records] == [("int8.tflite", None), ("float.tflite", 2.01)]
    broken_off = OLD.partition(COUNTED)[0]
    (record,) = read(tmp_path, broken_off + NEW)
    assert record.file == "float.tflite"


def test_two_delegates_are_counted_together(tmp_path):
    first = "Replacing 30 out of 50 node(s) with delegate (LqFda) node, yielding 4 partitions for subgraph 0.\n"
    second = "Replacing 12 out of 24 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 3 partitions.\n"
    (record,) = read(tmp_path, first + second + OLD.partition("Num threads")[2])
    assert (record.delegate, record.delegated_nodes, record.total_nodes) == ("LqFda, TfLiteXNNPackDelegate", 42, 50)


def test_runs_that_all_took_as_long_are_printed_shorter(tmp_path):
    text = OLD.replace(COUNTED, "count=50 curr=2050.5(all same)")
    (record,) = read(tmp_path, text)
    assert record.min_ms == record.max_ms == record.mean_ms == 2.0505


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no line 'Inference timings in us'"),
        (OLD.partition("Inference")[0], "no line 'Inference timings in us'"),
        (OLD.replace(COUNTED, "").replace(WARMUP, ""), "without its line 'count='"),
        (OLD.replace(COUNTED, ""), "3.775 ms, and 2.0505 ms in the summary"),
        (OLD.replace("2050.5", "nan"), "no line"),
        (OLD.replace("2050.5", "0"), "validation error"),
        (b"\x00\xff" * 1000, "no line"),
        (b"x" * ((1 << 24) + 1), "more than 16 MiB"),
    ],
)
def test_what_is_no_finished_log_is_refused(tmp_path, text, said):
    with pytest.raises(LqFdaError, match=said) as caught:
        read(tmp_path, text)
    assert "Keep all of it" in str(caught.value)
    with pytest.raises(LqFdaError, match="No such file"):
        read_benchmark_model(tmp_path / "absent.txt")


def test_names_cannot_reach_the_terminal(tmp_path):
    (record,) = read(tmp_path, OLD.replace("int8.tflite", "\x1b[2J[red]x"))
    assert record.file.isprintable()
    benchmark_model_table([record])


def test_the_command_says_that_nothing_was_interleaved(tmp_path):
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    for path, text in zip(logs, (OLD, NEW), strict=True):
        path.write_text(text)
    output = tmp_path / "records.jsonl"
    result = CliRunner().invoke(
        app, ["benchmark-log", *map(str, logs), "--output", str(output)], env={"COLUMNS": "160"}
    )
    assert result.exception is None, result.exception
    assert "not interleaved" in result.stdout and "13 of 15" in result.stdout and "2.010" in result.stdout
    assert [line.count('"interleaved":false') for line in output.read_text().splitlines()] == [1, 1]
