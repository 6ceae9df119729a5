"""The fuzzer of whole models: the same seed damages the same, and no crash goes unseen."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lq_fda_runtime import Interpreter
from lq_fda_runtime.litert import interpreter_module

FUZZ = Path(__file__).resolve().parents[2] / "export" / "runtime" / "fuzz"
MODELS = sorted((FUZZ / "corpus" / "models").glob("*.tflite"))


@pytest.fixture
def python(surroundings):
    """Runs code beside the fuzzer's modules, in a process without threads: it forks."""

    def run(code, *arguments, **variables):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**surroundings, "PYTHONPATH": str(FUZZ), "OPENBLAS_NUM_THREADS": "1", **variables},
        )

    return run


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_corpus_is_intact_and_runs_on_the_delegate(path):
    interpreter = Interpreter(path)
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.report().refusals() == {}
    assert path.stat().st_size < 10_000


def test_equal_seeds_damage_equally_in_any_process(python):
    code = """
import hashlib, sys
from pathlib import Path
from mutate import mutate
for name in sys.argv[1:]:
    content = Path(name).read_bytes()
    for seed in range(40):
        print(hashlib.sha256(mutate(content, str(seed))).hexdigest())
"""
    first, second = (python(code, *MODELS, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    digests = first.stdout.split()
    assert len(digests) == 40 * len(MODELS)
    assert len(set(digests)) > 0.9 * len(digests), "a seed is there to change something"
    intact = {hashlib.sha256(path.read_bytes()).hexdigest() for path in MODELS}
    assert sum(digest in intact for digest in digests) < 0.1 * len(digests)


@pytest.mark.parametrize(
    ("action", "verdict", "ours"),
    [
        ("return 'ran', ''", "ran", False),
        ("return 'refused', 'lq_fda: no'", "refused", False),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", True),
        ("os._exit(3)", "crashed", True),
        ("os._exit(0)", "crashed", True),
        ("raise TypeError('odd')", "crashed", True),
        ("time.sleep(60)", "hung", True),
        ("signal.signal(signal.SIGABRT, signal.SIG_IGN); time.sleep(60)", "hung", True),
        ("return 'ran', str(len([bytes(1 << 20) for _ in range(1000)]))", "crashed", True),
        ("kept = b'1' * (60 << 20); time.sleep(60)", "swelled", True),
    ],
)
def test_only_what_ends_well_passes(python, action, verdict, ours):
    code = f"""
import dataclasses, os, signal, time
import trial
trial._LAST_WORDS = 0.2
def action():
    {action}
seconds, megabytes = 2 if {verdict!r} == "hung" else 60, 40 if {verdict!r} == "swelled" else 200
outcome = trial.in_child(action, trial.Limits(seconds, megabytes))
print(outcome.verdict, outcome.ours)
"""
    if verdict == "swelled":
        # What is watched is what is used; here, not what is reserved.
        code = code.replace("import trial\n", "import trial\ntrial.resource.setrlimit = lambda *_: None\n")
    done = python(code)
    assert done.stdout.split() == [verdict, str(ours)], done.stderr


# Stands in for a run: the first model's kills its process, with the delegate or also without it.
CRASH = """
import os, signal, sys
import models
def exercise(content, chance, with_delegate=True):
    if content == models.damaged(models.corpus(), 5, 0) if with_delegate else {also_without}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return "ran", ""
models.exercise = exercise
models.main()
"""


def test_a_crash_ends_with_an_error_and_the_file_that_caused_it(python, tmp_path):
    done = python(CRASH.format(also_without=False), "--count", 3, "--seed", 5, "--found", tmp_path)
    assert done.returncode == 1
    assert "--seed 5 --only 0" in done.stderr and "1 models made the delegate fail" in done.stderr
    assert "3 executions" in done.stdout and "2 ran" in done.stdout and "1 crashed" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"5-0.tflite", "5-0.txt"}
    code = "import models; print(models.damaged(models.corpus(), 5, 0).hex())"
    assert bytes.fromhex(python(code).stdout) == (tmp_path / "5-0.tflite").read_bytes()


def test_a_crash_without_the_delegate_too_is_the_runtimes_and_is_counted(python, tmp_path):
    done = python(CRASH.format(also_without=True), "--count", 3, "--seed", 5, "--found", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 failed in the runtime" in done.stdout and "such as --only 0" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_lces_operators_the_stock_interpreter_runs_the_rest(monkeypatch):
    monkeypatch.syspath_prepend(str(FUZZ))
    from mutate import without_lce

    (block,) = [path for path in MODELS if path.stem == "block"]
    interpreter = interpreter_module().Interpreter(model_content=without_lce(block.read_bytes()))
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert len(interpreter.get_input_details()) == 6  # What its five operators of LCE wrote, too.


STACK = """ERROR: AddressSanitizer: SEGV on unknown address
    #0 0x7f0  (/usr/lib/x86_64-linux-gnu/libasan.so.8+0x9c0)  (BuildId: 01)
    #1 0x7f1  (/lib/x86_64-linux-gnu/libc.so.6+0x3c0)  (BuildId: 02)
    #2 0x7f2  (/x/{first}+0x10)  (BuildId: 03)
    #3 0x7f3  (/x/{second}+0x20)  (BuildId: 04)
"""
OURS, THEIRS = "liblq_fda_delegate.so", "libpywrap_litert_common.so"


@pytest.mark.parametrize(
    ("first", "second", "ours"), [(OURS, THEIRS, True), (THEIRS, OURS, True), (THEIRS, THEIRS, False)]
)
def test_a_stack_tells_whose_crash_it_is(python, first, second, ours):
    done = python("import sys, trial; print(*trial._blame(sys.argv[1]))", STACK.format(first=first, second=second))
    assert done.stdout.split() == [f"{first}+0x10", str(ours)], done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--seconds", "0"], "--seconds is not positive"), (["none.tflite"], "the model is missing: 'none.tflite'")],
)
def test_what_cannot_be_run_is_said_in_one_sentence(python, arguments, said):
    done = python("import models; models.main()", *arguments)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_some_damaged_models_are_refused_and_some_run(python, tmp_path):
    done = python("import models; models.main()", "--count", 60, "--seed", 1, "--found", tmp_path)
    assert "60 executions" in done.stdout, done.stderr
    assert " ran" in done.stdout and " refused by the delegate" in done.stdout
    assert os.listdir(tmp_path) == [], done.stderr
