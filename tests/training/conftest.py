"""A recipe that trains in seconds, and one run of it that several tests compare with."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from lq_fda import training
from lq_fda.artifacts import RunDir

TIMES = {"train_seconds", "validation_seconds", "images_per_second"}


@pytest.fixture(scope="session")
def small_recipe() -> training.Recipe:
    """Digits at 8x8, three epochs of ten steps, the binarized network with all its parts."""
    return training.apply_overrides(
        training.digits_demo(),
        ["epochs=3", "batch_size=128", "data.image_size=8", "model.input_shape=[8,8,3]", "ema=0.9"],
    )


@pytest.fixture(scope="session")
def float_recipe(small_recipe) -> training.Recipe:
    """Its float twin: the quickest to build."""
    return training.float_twin(small_recipe)


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
            {key: value for key, value in run.result().items() if key not in {"seconds", "images_per_second"}},
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
def recipe_file(small_recipe, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "recipe.json"
    file.write_text(json.dumps(training.to_values(small_recipe)))
    return file
