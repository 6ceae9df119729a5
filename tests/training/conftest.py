"""Recipes that train in seconds, a run of each that several tests compare with, and processes that start fast."""

import dataclasses
import json
import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from lq_fda import training
from lq_fda._keras import keras, larq
from lq_fda.artifacts import RunDir

TIMES = {"train_seconds", "validation_seconds", "images_per_second"}
IN_CHILD = """
import os, runpy
os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
os.environ.update(environment)
runpy.run_path(script)["main"](*arguments)
"""


@pytest.fixture(scope="session")
def small_recipe() -> training.Recipe:
    """Digits at 8x8, three epochs of eleven steps, a binarized network: every kind of state is in it."""
    changes = ["epochs=3", "batch_size=128", "data.image_size=8", "model.input_shape=8,8,3", "ema=0.9"]
    return training.apply_overrides(training.digits_demo(), [*changes, "model.parts=adjustment"])


@pytest.fixture(scope="session")
def float_recipe(small_recipe) -> training.Recipe:
    """Its float twin, with two epochs: the quickest to build."""
    return training.apply_overrides(training.float_twin(small_recipe), ["epochs=2"])


@pytest.fixture(scope="session")
def write_recipe(tmp_path_factory):
    """Writes a recipe to a file."""

    def write(recipe: training.Recipe) -> Path:
        file = tmp_path_factory.mktemp("recipe") / "recipe.json"
        file.write_text(json.dumps(training.to_values(recipe)))
        return file

    return write


@pytest.fixture(scope="session")
def start_child(tmp_path_factory):
    """Starts a script's `main` in a process of its own, forked from one that has TensorFlow loaded but not begun.

    Loading takes longer than the training here; the process is none of pytest's children, so nothing else is shared.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lq_fda.training", "lq_fda.data.dataset", "sklearn.datasets", "tensorboard"])
    children: list[BaseProcess] = []

    def start(script: Path, *arguments: object, **environment: str) -> BaseProcess:
        log = tmp_path_factory.mktemp("child") / "stderr"
        values = {"script": str(script), "arguments": [*map(str, arguments)], "environment": environment}
        child = context.Process(target=exec, args=(IN_CHILD, {**values, "log": str(log)}), name=str(log))
        child.start()
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()


@pytest.fixture(scope="session")
def finish():
    """Waits for a child and compares its exit code."""

    def wait(child: BaseProcess, expected: int = 0) -> None:
        child.join(120)
        assert child.exitcode == expected, Path(child.name).read_text()[-4000:]

    return wait


@pytest.fixture(scope="session")
def micro_network():
    """Builds a network with every kind of weight that steps in milliseconds."""

    def build() -> keras.Model:
        inputs = keras.Input((4, 4, 3))
        x = keras.layers.Conv2D(8, 3, padding="same")(inputs)
        x = keras.layers.BatchNormalization()(x)
        x = larq.layers.QuantConv2D(
            8,
            3,
            input_quantizer="ste_sign",
            kernel_quantizer="ste_sign",
            kernel_constraint="weight_clip",
            use_bias=False,
        )(x)
        x = keras.layers.Flatten()(keras.layers.BatchNormalization()(x))
        return keras.Model(inputs, keras.layers.Dense(10, dtype="float32")(x))

    return build


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What two runs must agree on."""

    state: dict[str, np.ndarray]
    history: list[dict]
    best_weights: list[np.ndarray]
    result: dict


@pytest.fixture(scope="session")
def outcome():
    """Reads a finished run directory, without the times of day."""
    import h5py

    def read(folder: Path) -> Outcome:
        run = RunDir(folder)
        with np.load(max(run.checkpoints.glob("*.npz")), allow_pickle=False) as archive:
            state = {name: archive[name] for name in archive.files}
        history = json.loads(state.pop("history").tobytes())
        weights: list[np.ndarray] = []
        with h5py.File(run.best_weights) as file:
            file.visititems(lambda _, item: weights.append(item[()]) if isinstance(item, h5py.Dataset) else None)
        return Outcome(
            state,
            [{key: value for key, value in row.items() if key not in TIMES} for row in history],
            weights,
            run.result().model_dump(exclude={"seconds", "images_per_second"}),
        )

    return read


@pytest.fixture(scope="session")
def assert_same():
    """Compares two outcomes bit by bit."""

    def check(left: Outcome, right: Outcome) -> None:
        assert left.history == right.history
        assert left.result == right.result
        assert left.state.keys() == right.state.keys()
        for name, value in left.state.items():
            np.testing.assert_array_equal(value, right.state[name], err_msg=name)
        for ours, theirs in zip(left.best_weights, right.best_weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)

    return check


@pytest.fixture(scope="session")
def reference(small_recipe, tmp_path_factory) -> Path:
    """The folder of an uninterrupted run of the small recipe."""
    folder = tmp_path_factory.mktemp("reference") / "run"
    training.train(small_recipe, folder, progress=False)
    return folder


@pytest.fixture(scope="session")
def float_reference(float_recipe, tmp_path_factory) -> Path:
    """The folder of an uninterrupted run of the float recipe."""
    folder = tmp_path_factory.mktemp("float_reference") / "run"
    training.train(float_recipe, folder, progress=False)
    return folder
