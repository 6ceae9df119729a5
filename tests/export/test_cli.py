"""Every command as its user types it, on a small bundle."""

import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lq_fda.artifacts import BenchmarkRecord, read_records
from lq_fda.runtimes import read_tflite

FILES = ("model.tflite", "int8.tflite", "float.tflite")


@pytest.fixture
def pictures(golden, tmp_path):
    """The golden images as files."""
    paths = [tmp_path / f"{index}.png" for index in range(len(golden["images"]))]
    for path, pixels in zip(paths, golden["images"], strict=True):
        Image.fromarray(pixels).save(path)
    return paths


@pytest.mark.parametrize("file", FILES)
def test_classify_gives_the_probabilities_of_the_golden_outputs(shout, intact, golden, pictures, file):
    code, out, err = shout("classify", intact, *pictures, "--file", file, "--top", 10, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    labels = (intact / "labels.txt").read_text().splitlines()
    for path, logits in zip(pictures, golden[f"outputs_{file.partition('.')[0]}"].astype(float), strict=True):
        expected = np.exp(logits) / np.exp(logits).sum()
        given = {item["label"]: item["probability"] for item in found[str(path)]}
        np.testing.assert_allclose([given[label] for label in labels], expected, atol=1e-4)
        assert [item["probability"] for item in found[str(path)]] == sorted(given.values(), reverse=True)


def test_classify_for_people(shout, intact, golden, pictures):
    code, out, _ = shout("classify", intact, *pictures[:2], "--top", 2)
    assert code == 0
    first, best, _, second, *_ = lines = out.splitlines()
    assert len(lines) == 6 and (first, second) == tuple(map(str, pictures[:2]))
    assert re.fullmatch(r" +[\d.]+%  (\d)", best).group(1) == str(golden["outputs_model"][0].argmax())


def test_classify_does_not_let_labels_steer_the_terminal(shout, bundle, golden, pictures, put):
    put("labels.txt", b"".join(b"\x1b[31m\xc3\xa9 %d\n" % digit for digit in range(10)))
    code, out, _ = shout("classify", bundle, pictures[0], "--top", 10)
    assert code == 0 and "\x1b" not in out and out.count("%  \\x1b[31m\u00e9 ") == 10


def test_benchmark_writes_records_that_lq_fda_reads(shout, intact, tmp_path):
    output = tmp_path / "records.jsonl"
    code, out, _ = shout("benchmark", intact, "--threads", "1,2", "--rounds", 3, "--json", "--output", output)
    assert code == 0
    records = [BenchmarkRecord.model_validate(record) for record in json.loads(out)]
    assert records == list(read_records(output))
    assert [(record.file, record.threads) for record in records] == [(file, n) for n in (1, 2) for file in FILES]
    assert len({record.run for record in records}) == 2
    for record in records:
        operators = read_tflite((intact / record.file).read_bytes()).counts()
        assert record.total_nodes == sum(operators.values())
        assert 0 < record.delegated_nodes <= record.total_nodes
        ours = record.file == "model.tflite"
        assert record.runtime == ("lq_fda" if ours else "litert")
        if ours:
            lce = sum(count for name, count in operators.items() if name.startswith("Lce"))
            assert lce <= record.settings["lq_fda_nodes"] <= record.total_nodes
        assert 0 < record.min_ms <= record.median_ms <= record.p90_ms
        assert {"cpu", "governor", "isas", "versions"} <= set(record.environment)
        assert record.before is not None and record.after is not None


def test_benchmark_for_people_shows_the_ratio(shout, intact):
    code, out, _ = shout("benchmark", intact, "--rounds", 3)
    rows = {line.split()[0]: line.split() for line in out.splitlines()[1:4]}
    assert code == 0 and set(rows) == {"1-bit", "int8", "float"}
    ratio, median, peer = float(rows["1-bit"][7]), float(rows["1-bit"][4]), float(rows["int8"][4])
    assert rows["int8"][7] == "1.00" and ratio == pytest.approx(median / peer, rel=0.15)
    assert "3 interleaved rounds after 20 warm-ups" in out


def test_benchmark_takes_a_single_file(shout, intact):
    code, out, _ = shout("benchmark", intact / "model.tflite", "--rounds", 2, "--isa", "portable", "--json")
    (record,) = json.loads(out)
    assert code == 0 and record["bundle"] == "model" and record["settings"]["isa"] == "portable"


def test_info_names_machine_and_versions(shout):
    code, out, _ = shout("info", "--json")
    found = json.loads(out)
    assert code == 0 and found["environment"]["isas"][-1] == "portable"
    assert found["interpreter"].startswith("ai-edge-litert 2")
    code, out, _ = shout("info")
    assert code == 0 and "instruction sets" in out and "ai-edge-litert" in out


def test_info_accounts_for_every_operator_of_a_model(shout, intact):
    code, out, _ = shout("info", intact / "model.tflite", "--json")
    nodes = json.loads(out)["delegate"]["nodes"]
    operators = read_tflite((intact / "model.tflite").read_bytes()).operators
    assert code == 0 and [node["op"] for node in nodes] == [operator.name for operator in operators]
    assert all(node["taken"] for node in nodes if node["op"].startswith("Lce"))
    assert all(bool(node["reason"]) != node["taken"] for node in nodes)
    code, out, _ = shout("info", intact)
    assert code == 0 and re.search(r"^LceBconv2d +4 +4$", out, re.M) and "Not taken, and why:" in out


def test_info_says_when_there_is_nothing_to_take(shout, intact):
    code, out, _ = shout("info", intact / "float.tflite")
    assert code == 0 and "holds no operator of Larq Compute Engine" in out and "takes 0 of" in out


def test_selftest_compares_every_file_with_the_manifest(shout, bundle):
    (bundle / "labels.txt").write_text("no longer what it was\n")
    code, out, err = shout("selftest", bundle)
    assert code == 1 and out == "" and "'labels.txt'" in err


def test_selftest_passes(shout, intact):
    code, out, err = shout("selftest", intact)
    assert (code, err) == (0, "") and out.count("pass") == 3 and "FAIL" not in out
    code, out, _ = shout("selftest", intact, "--json", "--threads", 2)
    assert code == 0 and [(row["file"], row["passed"]) for row in json.loads(out)] == [(file, True) for file in FILES]


@pytest.mark.parametrize("isa", ["auto", "portable"])
@pytest.mark.parametrize(("file", "relative"), [("model.tflite", 0.3), ("int8.tflite", 0.3), ("float.tflite", 0.002)])
def test_selftest_fails_on_an_output_just_beyond_the_tolerance(shout, bundle, golden, put, file, relative, isa):
    key = f"outputs_{file.partition('.')[0]}"
    tampered = golden[key].copy()
    tampered[3, 5] += relative * np.sqrt(np.mean(np.square(tampered)))
    put("golden.npz", archive({**golden, key: tampered}))
    code, out, err = shout("selftest", bundle, "--isa", isa)
    assert code == 1 and out.count("FAIL") == 1 and out.count("pass") == 2
    assert err.startswith("lq-fda-runtime: This machine does not compute") and err.count("\n") == 1
    assert f"Received: {file}=" in err


def archive(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("classify", "nowhere", "x.png"), "This is no bundle"),
        (("classify", "BUNDLE", "x.png"), "The image cannot be read"),
        (("classify", "BUNDLE", "BUNDLE/labels.txt"), "This is no image"),
        (("classify", "BUNDLE", "x.png", "--top", "0"), "at least one label"),
        (("classify", "BUNDLE", "BUNDLE/labels.txt", "--threads", "4096"), "no image"),
        (("benchmark", "nowhere"), "The model cannot be read"),
        (("benchmark", "BUNDLE/labels.txt"), "damaged or is no .tflite file"),
        (("benchmark", "BUNDLE", "--threads", "1,4096"), "num_threads=4096"),
        (("benchmark", "BUNDLE", "--threads", "0"), "num_threads=0"),
        (("benchmark", "BUNDLE", "--rounds", "0"), "rounds=0"),
        (("benchmark", "BUNDLE", "--isa", "sse"), "isa='sse'"),
        (("benchmark", "BUNDLE", "--isa", "\x1b[31m\n"), r"isa='\x1b[31m\n'"),
        (("classify", "BUNDLE/\u2028", "x.png"), r"\u2028"),
        (("benchmark", "BUNDLE", "--rounds", "1", "--output", "BUNDLE"), "Could not write the records"),
        (("info", "nowhere.tflite"), "The model cannot be read"),
        (("selftest", "nowhere"), "This is no bundle"),
        (("selftest", "BUNDLE", "--threads", "4096"), "num_threads=4096"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_1(shout, intact, arguments, words):
    code, out, err = shout(*(argument.replace("BUNDLE", str(intact)) for argument in arguments))
    assert code == 1 and out == ""
    assert words in err and err.startswith("lq-fda-runtime: ") and err.count("\n") == 1


def test_errors_do_not_steer_the_terminal(shout, intact, tmp_path):
    content = (intact / "model.tflite").read_bytes()
    assert content.count(b"LceQuantize") == 1
    (tmp_path / "m.tflite").write_bytes(content.replace(b"LceQuantize", b"\x1b[31mQuanti"))
    code, _, err = shout("info", tmp_path / "m.tflite")
    assert code == 1 and "\x1b" not in err and r"custom op: \x1b[31mQuanti" in err and err.count("\n") == 1


def test_every_command_has_an_example_and_json(shout):
    _, out, _ = shout("--help")
    names = re.findall(r"^    ([a-z]+)\b", out, re.M)
    assert names == ["classify", "benchmark", "info", "selftest"]
    for name in names:
        code, shown, _ = shout(name, "--help")
        assert code == 0 and f"Example: lq-fda-runtime {name}" in shown and "--json" in shown


def test_runs_as_a_program_without_tensorflow(intact, surroundings):
    child = (
        "import sys; from lq_fda_runtime.cli import main; main(['selftest', sys.argv[1]]); "
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", child, intact],
        capture_output=True,
        text=True,
        check=True,
        env=surroundings,
    )
    loaded = done.stdout.splitlines()[-1]
    assert "'lq_fda_runtime'" in loaded
    assert not [
        name for name in ("tensorflow", "tf_keras", "larq", "pydantic", "lq_fda", "typer") if f"'{name}'" in loaded
    ]


def test_survives_a_reader_that_leaves(intact, surroundings):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "lq_fda_runtime", "info", intact, "--json"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=surroundings)
    os.close(writer)
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if not line.startswith("INFO:")] == []
