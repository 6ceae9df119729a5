"""A chief and its workers: on this machine, with one of them killed, and where they cannot meet."""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lq_fda import training, tuning
from lq_fda.artifacts import RunDir, read_json
from lq_fda.errors import LqFdaError
from lq_fda.tuning import running, service
from lq_fda.tuning.search import begin

COMMAND = Path(sys.executable).with_name("lq-fda")


@pytest.fixture
def address():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_a_role_sets_keras_tuners_variables_and_takes_them_back(monkeypatch):
    for name in ("TUNER_ID", "ORACLE_IP", "ORACLE_PORT"):
        monkeypatch.delenv(f"KERASTUNER_{name}", raising=False)
    before = dict(os.environ)
    with service.role(chief="localhost:8000"):
        assert os.environ["KERASTUNER_ORACLE_IP"] == "localhost" and os.environ["KERASTUNER_ORACLE_PORT"] == "8000"
        assert service.is_chief() and not service.is_worker()
    names = set()
    for _ in range(2):
        with service.role(worker="10.0.0.1:8000"):
            assert service.is_worker() and not service.is_chief()
            names.add(os.environ["KERASTUNER_TUNER_ID"])
    assert len(names) == 2 and dict(os.environ) == before
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "mine")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "localhost")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
    with service.role():
        assert service.is_worker(), "those that are set already hold"


def test_half_of_keras_tuners_variables_is_one_error(monkeypatch, open_tiny, tmp_path):
    for name in ("TUNER_ID", "ORACLE_PORT"):
        monkeypatch.delenv(f"KERASTUNER_{name}", raising=False)
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "localhost")
    with pytest.raises(LqFdaError, match=r"incomplete.*KERASTUNER_ORACLE_PORT.*--worker"):
        tuning.tune(open_tiny(tmp_path / "search"), tmp_path / "search", progress=False)
    assert not (tmp_path / "search").exists()


@pytest.mark.parametrize("text", ["localhost", "8000", ":8000", "localhost:", "localhost:0", "localhost:65536", "a:b"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(LqFdaError, match="no address"), service.role(worker=text):
        pass


def test_a_process_is_not_both(open_tiny, tmp_path):
    with pytest.raises(LqFdaError, match="chief or a worker"):
        tuning.tune(open_tiny(tmp_path / "s"), tmp_path / "s", chief="a:1", worker="a:1")


def test_a_worker_without_a_chief_is_one_error(open_tiny, tmp_path, address, monkeypatch):
    monkeypatch.setattr(service, "_CHIEF_SECONDS", 0.5)
    folder = tmp_path / "search"
    search = open_tiny(folder)
    with pytest.raises(LqFdaError, match="the chief first"):
        tuning.tune(search, folder, worker=address)
    begin(search, tuning.SearchDir(folder))
    with pytest.raises(LqFdaError, match=rf"No chief answers.*{address}.*--chief"):
        tuning.tune(search, folder, worker=address)


def test_a_chief_that_is_interrupted_is_started_again_as_a_chief(open_tiny, tmp_path, address, monkeypatch):
    def interrupt(oracle):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "serve", interrupt)
    folder = tmp_path / "search"
    with pytest.raises(running.SearchInterrupted, match=f"lq-fda tune --output {folder} --chief {address}`"):
        tuning.tune(open_tiny(folder), folder, chief=address, progress=False)


def test_an_address_that_is_taken_is_one_error(open_tiny, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LqFdaError, match=rf"cannot listen there.*127.0.0.1:{port}"):
            tuning.tune(open_tiny(tmp_path / "search"), tmp_path / "search", chief=f"127.0.0.1:{port}", progress=False)


@pytest.fixture
def start(tmp_path):
    """Starts the command with its own log; whatever still runs at the end is killed."""
    children = []

    def begin(*arguments):
        log = tmp_path / f"log{len(children)}"
        child = subprocess.Popen(
            [COMMAND, "tune", *map(str, arguments)], stdout=log.open("w"), stderr=subprocess.STDOUT
        )
        child.log = log
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait()


def wait_for(condition, seconds, *children):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, [child.log.read_text()[-2000:] for child in children]
        time.sleep(0.1)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_workers_trial_is_run_again_and_none_is_lost(start, tmp_path, address):
    folder, trials = tmp_path / "search", 5
    recipe = ["epochs=6", "data.image_size=8", "model.parts=adjustment", "model.width=0.25"]
    options = [word for change in recipe for word in ("--set", change)]
    options += ["--oracle", "random", "--trials", trials, "--space", "learning_rate", "--output", folder]
    chief = start(*options, "--chief", address)
    wait_for((folder / "search.json").is_file, 120, chief)
    workers = [start("--output", folder, "--worker", address) for _ in range(2)]

    def running() -> dict[str, str]:
        state = folder / "oracle.json"
        return read_json(state)["ongoing_trials"] if state.is_file() else {}

    wait_for(lambda: len(running()) == 2, 200, chief, *workers)

    # Which of the two processes runs a trial is written nowhere: it is the one that holds the trial's lock.
    def holder(trial_id: str) -> subprocess.Popen | None:
        lock = tuning.SearchDir(folder).trial(trial_id) / ".lock"
        open_files = {
            worker: [os.path.realpath(entry) for entry in Path(f"/proc/{worker.pid}/fd").iterdir()]
            for worker in workers
        }
        return next((worker for worker, files in open_files.items() if str(lock.resolve()) in files), None)

    def in_the_middle() -> tuple[str, subprocess.Popen] | None:
        for trial_id in running().values():
            if list(tuning.SearchDir(folder).run(trial_id).checkpoints.glob("epoch-00002.npz")) and holder(trial_id):
                return trial_id, holder(trial_id)
        return None

    lost, victim = wait_for(in_the_middle, 200, chief, *workers)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    run = tuning.SearchDir(folder).run(lost)
    before = run.history()
    (survivor,) = [worker for worker in workers if worker is not victim]
    assert survivor.wait(400) == 0, survivor.log.read_text()
    assert chief.wait(60) == 0, chief.log.read_text()
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert [row["trial"] for row in rows] == [str(number) for number in range(trials)]
    assert {row["status"] for row in rows} == {"completed"}
    assert {row["epochs"] for row in rows} == {"6"}
    assert run.history()[: len(before)] == before and len(before) < 6, "it went on from its checkpoint"
    told = chief.log.read_text()
    assert sorted(re.findall(r"^trial (\d):", told, re.M)) == [str(number) for number in range(trials)]
    training.train(training.load_recipe(run), tmp_path / "whole", progress=False)
    assert float(rows[int(lost)]["validation_accuracy"]) == RunDir(tmp_path / "whole").result().validation.top1
    again = start("--output", folder, "--chief", address)
    assert again.wait(60) == 0, "a search that has ended needs no worker to end again"
