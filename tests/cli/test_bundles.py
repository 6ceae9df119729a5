"""convert, verify and benchmark as their user types them."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from lq_fda.artifacts import Bundle, read_records, sha256_of, write_json
from lq_fda.cli import app
from lq_fda.errors import LqFdaError


def invoke(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "160"})
    if result.exception:
        raise result.exception
    return result.stdout


@pytest.fixture
def bundle(trained, tmp_path):
    return shutil.copytree(trained.bundle.path, tmp_path / "bundle")


def test_convert_shows_what_became_of_every_layer(trained, tmp_path):
    runs = (trained.binarized.path, "--float-run", trained.float_twin.path)
    shown = invoke("convert", *runs, "--output", tmp_path / "bundle")
    assert shown.count("LceBconv2d") == 5 and "stage2_2_conv" in shown  # four rows and the count of operators
    account = json.loads(invoke("convert", *runs, "--output", tmp_path / "bundle", "--json"))
    assert [layer["binary"] for layer in account["layers"]] == [True] * 4
    Bundle(tmp_path / "bundle").check()


def test_convert_refuses_an_unknown_layer(trained, tmp_path):
    with pytest.raises(LqFdaError, match="no quantized layer"):
        invoke("convert", trained.binarized.path, "--output", tmp_path / "b", "--allow-float", "nobody")
    assert not (tmp_path / "b").exists()


def test_verify_prints_writes_and_passes(trained, bundle, tmp_path):
    command = ("verify", bundle, "--run", trained.binarized.path, "--images", 8)
    shown = invoke(*command, "--float-run", trained.float_twin.path, "--output", tmp_path / "found.json")
    assert "all hold" in shown and "fail" not in shown
    written = json.loads((tmp_path / "found.json").read_text())
    assert written["passed"] and json.loads(invoke(*command, "--json"))["passed"]


def test_verify_fails_with_the_gate_but_still_shows_and_writes(trained, bundle, tmp_path):
    with np.load(bundle / Bundle.GOLDEN, allow_pickle=False) as golden:
        arrays = {name: -values if name == "outputs_model" else values for name, values in golden.items()}
    np.savez(bundle / Bundle.GOLDEN, **arrays)
    manifest = json.loads((bundle / Bundle.MANIFEST).read_text())
    manifest["files"][Bundle.GOLDEN]["sha256"] = sha256_of(bundle / Bundle.GOLDEN)
    write_json(bundle / Bundle.MANIFEST, manifest)
    command = ("verify", bundle, "--run", trained.binarized.path, "--images", 8, "--output", tmp_path / "found.json")
    result = CliRunner().invoke(app, [*map(str, command)])
    assert isinstance(result.exception, LqFdaError) and "failed 1 of 9 gates" in str(result.exception)
    assert "FAILED" in result.stdout
    assert not json.loads((tmp_path / "found.json").read_text())["passed"]


def test_benchmark_appends_records_and_draws(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("lq_fda.benchmarking.latency.usable_cores", lambda: 2)  # Two threads run on one core, too.
    records, plot = tmp_path / "records.jsonl", tmp_path / "plot.svg"
    command = ("benchmark", bundle, "--rounds", 3, "--output", records)
    assert "x int8" in invoke(*command, "--threads", "1", "--plot", plot)
    assert len(json.loads(invoke(*command, "--threads", "1,2", "--json"))) == 8
    # Three files, the 1-bit one in two runtimes; and the same with each thread count.
    assert len(list(read_records(records))) == 12
    assert plot.read_text().startswith("<svg") and "int8 twin" in plot.read_text()
    invoke(*command, "--threads", "1,2", "--plot", plot)
    assert plot.read_text().count("int8 twin, ") == 2 and plot.read_text().count("int8 twin<") == 1


@pytest.mark.parametrize("threads", ["", "0", "two", "1,,2"])
def test_benchmark_refuses_odd_thread_counts(bundle, threads):
    with pytest.raises(LqFdaError, match="threads"):
        invoke("benchmark", bundle, "--threads", threads)
