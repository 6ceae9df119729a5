"""1-bit networks against their peers."""

import json

import pytest
from typer.testing import CliRunner

from lq_fda import peers, runtimes
from lq_fda.benchmarking import Protocol
from lq_fda.cli import app
from lq_fda.errors import LqFdaError


def test_every_form_and_runtime_is_timed_in_one_run(tmp_path):
    output = tmp_path / "peers.jsonl"
    result = CliRunner().invoke(
        app, ["peers", "tiny", "--rounds", "3", "--profile", "--output", str(output)], catch_exceptions=False
    )
    records = [peers.PeerRecord.model_validate(json.loads(line)) for line in output.read_text().splitlines()]
    found = [(record.form, record.runtime, *map(record.settings.get, ("isa", "fuse"))) for record in records]
    best = runtimes.instruction_sets()[0]
    assert found == [
        *(("1-bit", "lq_fda", isa, True) for isa in runtimes.instruction_sets()),
        ("1-bit, all parts", "lq_fda", best, True),
        ("1-bit, all parts", "lq_fda", best, False),
        ("1-bit", "lce", None, None),
        ("int8", "litert", None, None),
        ("float", "litert", None, None),
    ]
    assert len({record.run for record in records}) == 1
    assert all(0 < record.min_ms <= record.median_ms <= record.p90_ms for record in records)
    sizes = {record.form: record.file_bytes for record in records}
    assert sizes["1-bit"] < sizes["1-bit, all parts"] < sizes["int8"] < sizes["float"]
    assert "x LCE" in result.stdout and "binary convolutions" in result.stdout and "100%" not in result.stdout


def test_what_cannot_be_compared_is_named(monkeypatch):
    with pytest.raises(LqFdaError, match=r"Expected a network such as.*'tiny@big'"):
        CliRunner().invoke(app, ["peers", "tiny@big"], catch_exceptions=False)
    monkeypatch.setattr(runtimes, "available", lambda: {"lce": "", "litert": "", "lq_fda": "it is not installed"})
    with pytest.raises(LqFdaError, match=r"not installed.*pip install"):
        peers.measure_peers("tiny", protocol=Protocol(warmups=0, rounds=1))
