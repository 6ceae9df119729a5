"""Measuring on a device by ssh: a real sshd on this machine, and a Python that knows nothing but what is sent."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from typer.testing import CliRunner

from lq_fda.artifacts import Bundle, read_records
from lq_fda.benchmarking import Protocol
from lq_fda.benchmarking.devices import measure_all, open_device, remote
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

FILES = [Bundle.MODEL, Bundle.INT8, Bundle.FLOAT]
QUICK = Protocol(rounds=5)
LONG = Protocol(rounds=20000)  # Some ten seconds: time to break something.


@pytest.fixture
def bundle(trained):
    return trained.bundle


def refusal(board, bundle, **settings):
    with pytest.raises(LqFdaError) as caught:
        list(board.device().measure(bundle, **{"protocol": QUICK, **settings}))
    assert "\n" not in str(caught.value), "one sentence or two"
    return str(caught.value)


@pytest.mark.slow
def test_the_first_measurement_brings_all_that_the_device_needs(board, bundle, tmp_path):
    stages = []
    records = list(
        board.device().measure(bundle, protocol=QUICK, progress=lambda step, done, total: stages.append(step))
    )
    cores = len(os.sched_getaffinity(0))
    counts = list(dict.fromkeys((1, cores)))
    assert [(record.file, record.threads) for record in records] == [(file, n) for n in counts for file in FILES]
    assert len({record.run for record in records}) == len(counts)
    for record in records:
        assert record.device == "ssh://board" and record.rounds == 5 and record.warmups == 20
        assert record.sha256 == bundle.manifest.files[record.file].sha256
        assert 0 < record.min_ms <= record.median_ms <= record.p90_ms
        assert record.delegated_nodes > 0 and record.before is not None and record.after is not None
        assert record.environment["python_bits"] == 64
    assert {record.runtime for record in records} == {"lq_fda", "litert"}
    assert list(dict.fromkeys(stages)) == ["pushing", "installing the runtime", "self-test", "rounds"]
    assert board.left() == []
    stages.clear()
    list(board.device().measure(bundle, threads=(1,), protocol=QUICK, progress=lambda step, *_: stages.append(step)))
    assert "installing the runtime" not in stages, "it was kept"


@pytest.mark.slow
def test_one_table_over_devices(board, bundle, tmp_path):
    command = ("benchmark", bundle.path, "--device", "host", "--device", board.name, "--rounds", 5, "--threads", 1)
    records, plot = tmp_path / "records.jsonl", tmp_path / "plot.svg"
    result = CliRunner().invoke(
        app, [*map(str, command), "--output", str(records), "--plot", str(plot)], env={"COLUMNS": "160"}
    )
    assert result.exception is None, result.exception
    assert result.stdout.count("ssh://board") == 2, "once a table"
    assert "throttled" in result.stdout and "x int8" in result.stdout
    assert {record.device for record in read_records(records)} == {"host", "ssh://board"}
    assert plot.read_text().count("ssh://board") == 3


@pytest.mark.slow
def test_a_broken_connection_loses_nothing(board, bundle):
    seen, cuts = [], []

    def progress(step, done, total):
        seen.append(step)
        # Once: in the middle of the first thread count.
        if step == "rounds" and not cuts:
            cuts.append(board.worker().pid)
            board.cut()

    records = list(board.device().measure(bundle, threads=(1,), protocol=LONG, progress=progress))
    assert [record.file for record in records] == FILES and records[0].rounds == LONG.rounds
    assert cuts and "connection lost, next try in 1 s" in seen
    assert board.connections() == 2
    assert seen.count("self-test") == 2, "passed on again"
    assert board.left() == []


@pytest.mark.slow
def test_what_was_measured_when_the_device_was_lost_is_fetched_by_the_same_call(board, bundle, monkeypatch):
    monkeypatch.setattr(remote, "_WAITS", (0.1, 0.1))
    first, measuring = [], board.device().measure(bundle, threads=(1, 2), protocol=LONG)
    with pytest.raises(LqFdaError, match="it goes on where it was"):
        for record in measuring:
            first.append(record)
            if len(first) == 3:  # The records of a thread count come one by one.
                worker = board.worker()
                board.stop()
    assert [record.threads for record in first] == [1, 1, 1], "those that had come are not lost"
    assert worker.is_running(), "the device works on"
    # A power cut on top of it, which leaves half a line.
    worker.kill()
    (messages,) = board.cache.glob("job-*/messages.jsonl")
    with messages.open("ab") as file:
        file.write(b'{"kind": "record", "record": {"ru')
    board.start()
    second = list(board.device().measure(bundle, threads=(1, 2), protocol=LONG))
    assert [record.threads for record in second] == [1, 1, 1, 2, 2, 2]
    assert second[:3] == first, "measured once"
    assert board.left() == []


@pytest.mark.slow
def test_ctrl_c_stops_the_device_too(board, bundle, tmp_path):
    command = [sys.executable, "-c", "from lq_fda.cli import main; main()", "benchmark", str(bundle.path)]
    running = subprocess.Popen(
        [*command, "--device", board.name, "--rounds", "1000000", "--threads", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 120
        while not any(b'"progress"' in path.read_bytes() for path in board.cache.glob("job-*/messages.jsonl")):
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        worker = board.worker()
        running.send_signal(signal.SIGINT)
        assert running.wait(60) != 0
        # Nobody may be there to bury it.
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
        assert board.left() == []
    finally:
        running.kill()


@pytest.fixture
def small_disk(board, tmp_path):
    """Puts the device's home on a disk of a size."""
    mounted = []

    def mount(size):
        home = tmp_path / "small"
        home.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)], capture_output=True)
        if done.returncode:
            pytest.skip(f"needs the right to mount: {done.stderr.decode().strip()}")
        mounted.append(home)
        shutil.copytree(board.home / ".config", home / ".config")
        board.home = home
        board.start()

    yield mount
    board.stop()
    for home in mounted:
        subprocess.run(["umount", str(home)], check=True)


@pytest.mark.parametrize("size", ["64k", pytest.param("6m", marks=pytest.mark.slow)])
def test_a_full_device_is_one_error_and_is_left_tidy(board, bundle, small_disk, size):
    """In 64 KiB the bundle does not fit; in 6 MiB the runtime does not."""
    small_disk(size)
    said = refusal(board, bundle)
    assert "The device is full" in said and "Free some space" in said
    assert board.left() == [] and not list(board.cache.glob("runtime-*"))


def test_a_device_that_measures_already_is_busy(board, bundle):
    board.cache.mkdir(parents=True, exist_ok=True)
    with (board.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("f" * 32 + " 1\n")
        lock.flush()
        assert "busy with another measurement" in refusal(board, bundle)
    assert board.left() == []


def test_a_login_that_does_not_end_its_line_is_no_obstacle(board, bundle):
    board.set_python(f'printf "no line"; exec {sys._base_executable} "$@"')
    board.cache.mkdir(parents=True, exist_ok=True)
    with (board.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("f" * 32 + " 1\n")
        lock.flush()
        assert "busy with another measurement" in refusal(board, bundle), "it has greeted"


def test_another_host_key_is_refused(board, bundle):
    board.know(board.make_key("other"))
    said = refusal(board, bundle)
    assert "its host key is another one" in said and "`ssh board` names the file and line of the old key" in said
    by_hand = subprocess.run(["ssh", "-o", "BatchMode=yes", "board", "true"], capture_output=True, text=True)
    assert f"{board.folder}/known_hosts:1" in by_hand.stderr, "it does"
    board.know("")
    said = refusal(board, bundle)
    assert "does not know the device's host key" in said and "`ssh board`" in said
    assert board.connections() == 0


def test_a_key_that_the_device_does_not_take_is_refused(board, bundle, tmp_path):
    (board.folder / "user.pub").write_text(board.make_key("other"))
    assert "ssh-copy-id board" in refusal(board, bundle)


def test_nobody_there_is_said_at_once(board, bundle):
    board.stop()
    assert "Connection refused" in refusal(board, bundle)


def test_a_device_without_python_is_refused(board, bundle):
    board.start(path="/nonexistent")
    said = refusal(board, bundle)
    assert "The device has no Python" in said and "apt install python3" in said


def test_a_python_without_ensurepip_is_refused(board, bundle, tmp_path):
    """As Debian's is without python3-venv."""
    board.home = tmp_path / "bare"
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "ensurepip.py").write_text("raise ImportError")
    board.set_python(f'PYTHONPATH={tmp_path}/blocked exec {sys._base_executable} "$@"')
    board.start()
    assert "sudo apt install python3-venv" in refusal(board, bundle)
    assert board.left() == []


def test_another_architecture_is_refused(board, bundle, tmp_path):
    if shutil.which("setarch") is None:
        pytest.skip("needs setarch, of the package util-linux")
    board.set_python(f'exec setarch linux32 {sys._base_executable} "$@"')
    assert "There is no runtime for this device" in refusal(board, bundle)


def test_a_wheel_for_another_architecture_is_not_sent(board, bundle, tmp_path):
    (tmp_path / "lq_fda_runtime-0.1.0-py3-none-manylinux_2_17_riscv64.whl").write_bytes(b"")
    with pytest.raises(LqFdaError, match=r"There is no wheel .*release\.py"):
        list(board.device(tmp_path).measure(bundle))


def test_a_damaged_bundle_is_not_sent(board, bundle, tmp_path):
    copy = shutil.copytree(bundle.path, tmp_path / "bundle")
    with (copy / Bundle.INT8).open("ab") as file:
        file.write(b"!")
    assert "damaged" in refusal(board, Bundle(copy))
    assert board.connections() == 0


HELLO = (
    b"lq-fda agent 1",
    b'{"kind": "device", "system": "Linux", "machine": "x86_64", "bits": 64, "python": [3, 11, 2]}',
    b'{"kind": "want", "files": false}',
)


def record(**changes):
    fields = {
        "run": "a", "date": "d", "bundle": "b", "file": "model.tflite", "sha256": "0", "runtime": "lq_fda",
        "runtime_version": "1", "threads": 1, "input_shape": [1], "warmups": 20, "rounds": 5, "median_ms": 1.0,
        "p90_ms": 1.0, "min_ms": 1.0, "file_bytes": 1, "environment": {}, "command": "",
    }  # fmt: skip
    return json.dumps({"kind": "record", "record": {**fields, **changes}}).encode()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((b"not JSON",), "Expecting value"),
        ((b"[" * 100_000,), "no message of lq-fda"),
        ((b'"' + b"a" * (1 << 21) + b'"',), "a line of more than 1 MiB"),
        (([b'{"kind": "alive"}' + b" " * 1000] * 70_000), "more than 64 MiB"),
        ((record(median_ms=float("nan")),), "NaN is no JSON"),
        ((record(median_ms=1).replace(b'"median_ms": 1', b'"median_ms": 1e999'),), "finite"),
        ((record(runtime="\x1b[2J"),), "control characters"),
        ((record(environment={"cpu": "a\x9b31m"}),), "control characters"),
        ((record(more=1),), "Extra inputs"),
        ((record(),), "a record of something else"),
        ((b'{"kind": "end"',), "no message of lq-fda"),
        ((b'{"kind": "done"}',), "no message of lq-fda"),
        ((HELLO[1],), "not at this point"),
        ((b'{"kind": "end"}',), "has not sent everything. Received: 0 records, without model.tflite at threads=1"),
        ((), "fallen silent"),
    ],
    ids=lambda value: None if isinstance(value, tuple | list) else value[:20],
)
def test_what_a_device_should_not_say_is_refused(board, bundle, monkeypatch, lines, said):
    monkeypatch.setattr(remote, "_WAITS", ())
    monkeypatch.setattr(remote, "_FORGETTING", 1.0)
    monkeypatch.setattr(remote, "_SILENCE", 2.0)
    board.say(*HELLO, *lines)
    with pytest.raises(LqFdaError, match=said) as caught:
        list(board.device().measure(bundle, protocol=QUICK))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 2000


def test_a_login_that_talks_for_ever_is_refused(board, bundle):
    board.set_python("yes | head -c 200000; cat > /dev/null")
    assert "before its greeting" in refusal(board, bundle)


def test_what_the_device_refuses_is_said_as_it_says_it(board, bundle, monkeypatch):
    monkeypatch.setattr(remote, "_FORGETTING", 1.0)
    board.say(*HELLO, b'{"kind": "error", "problem": "Too hot.", "cure": "Wait."}')
    assert refusal(board, bundle) == "Too hot. Wait."


def test_an_old_python_is_refused(board, bundle):
    board.say(HELLO[0], HELLO[1].replace(b"3, 11, 2", b"3, 7, 3"))
    assert "too old" in refusal(board, bundle)


def test_one_device_that_fails_does_not_take_the_others_with_it(board, bundle):
    board.stop()
    measured = measure_all(bundle, [open_device(board.name), open_device("host")], threads=(1,), protocol=QUICK)
    assert {record.device for record in measured.records} == {"host"}
    with pytest.raises(LqFdaError, match="ssh://board: The connection"):
        measured.require_all()
