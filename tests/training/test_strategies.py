"""Several devices and several processes train one network."""

import json
import socket
from pathlib import Path

import pytest

from lq_fda import training
from lq_fda.errors import LqFdaError
from lq_fda.training.strategies import open_strategy

WORKER = Path(__file__).with_name("train_as_worker.py")
STEP = Path(__file__).with_name("step_on_two_devices.py")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def train_in_two_processes(start_child, finish, tmp_path):
    def train(recipe_file: Path, folder: Path) -> list[dict]:
        cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
        reports = [tmp_path / f"worker-{index}.json" for index in range(2)]
        children = [
            start_child(
                WORKER,
                *(recipe_file, folder, "multi_worker", report),
                TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
            )
            for index, report in enumerate(reports)
        ]
        for child in children:
            finish(child)
        return [json.loads(report.read_text()) for report in reports]

    return train


def test_two_processes_train_one_network_and_write_one_run_that_can_go_on(
    float_recipe, write_recipe, train_in_two_processes, tmp_path
):
    folder, recipe_file = tmp_path / "run", write_recipe(float_recipe)
    chief, other = train_in_two_processes(recipe_file, folder)
    assert chief["weights"] == other["weights"]
    assert chief["result"] and other["result"] is None, "the chief alone has a result"
    environment = json.loads((folder / "environment.json").read_text())
    assert (environment["strategy"], environment["replicas"]) == ("multi_worker", 2)
    assert len(list((folder / "tensorboard").iterdir())) == 1, "the chief alone writes"
    assert chief["result"]["test"]["top1"] > 0.2, "better than chance"

    (folder / "result.json").unlink()
    (folder / "checkpoints" / "epoch-00002.npz").unlink()
    resumed, beside = train_in_two_processes(recipe_file, folder)
    assert resumed["resumed"] and beside["resumed"]
    assert resumed["weights"] == beside["weights"] == chief["weights"], "from the first epoch to the same bits"


def test_two_devices_of_one_machine_hold_the_same_weights(float_recipe, write_recipe, start_child, finish, tmp_path):
    report = tmp_path / "report.json"
    finish(start_child(WORKER, write_recipe(float_recipe), tmp_path / "run", "mirrored", report))
    values = json.loads(report.read_text())
    first, second = values["weights"]
    assert first == second
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["replicas"] == 2
    assert values["result"]["test"]["top1"] > 0.2, "better than chance"


@pytest.mark.parametrize(
    "changes",
    [
        ["optimizer=sgd", "weight_decay=0.1"],
        ["optimizer=sgd", "clip_norm=0.1", "learning_rate=0.1"],
        ["optimizer=bop", "bop_gamma=0.5", "clip_norm=0.1"],
    ],
    ids=" ".join,
)
def test_a_step_on_two_devices_is_the_step_on_one(changes, small_recipe, write_recipe, start_child, finish, tmp_path):
    recipe = training.apply_overrides(small_recipe, [*changes, "warmup_epochs=0", "label_smoothing=0.1"])
    finish(start_child(STEP, write_recipe(recipe), tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["difference"] < 2e-6 < 1e-4 < report["moved"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_a_cluster_that_is_missing_or_wrong_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(LqFdaError, match="TF_CONFIG"):
        open_strategy("multi_worker")


def test_a_process_that_already_used_tensorflow_cannot_join(monkeypatch):
    config = {"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    from lq_fda._keras import tf

    tf.zeros(1)
    with pytest.raises(LqFdaError, match="cannot be joined"):
        open_strategy("multi_worker")


def test_an_unknown_strategy_is_refused():
    with pytest.raises(LqFdaError, match="Expected one of none, mirrored, multi_worker"):
        open_strategy("tpu")
