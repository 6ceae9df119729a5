"""Networks of runs: what is loaded, and which runs belong together."""

import shutil

import numpy as np
import pytest

from lq_fda import models, training
from lq_fda._keras import keras, precision
from lq_fda.artifacts import RunDir, write_json
from lq_fda.errors import LqFdaError


def begun(folder, overrides=(), *, twin=False):
    """A run directory that holds a recipe and nothing else."""
    recipe = training.apply_overrides(training.digits_demo(), overrides)
    write_json(folder / "recipe.json", training.to_values(training.float_twin(recipe) if twin else recipe))
    return RunDir(folder)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("model.name=resnet20", "name"),
        ("data.name=mnist", "data.name"),
        ("data.seed=1", "data.seed"),
        ("data.validation_fraction=0.2", "data.validation_fraction"),
        ("data.image_size=16", "input_shape, data.image_size"),
    ],
)
def test_a_twin_that_saw_other_images_is_none(override, named, tmp_path):
    twin, run = begun(tmp_path / "float", [override], twin=True), begun(tmp_path / "binarized")
    with pytest.raises(LqFdaError, match=rf"they differ in {named}\. "):
        models.require_twin(twin, run)


def test_a_twin_may_have_another_order_and_place_of_the_data(tmp_path):
    changes = ["data.augmentation=flip", "data.download=true", "data.data_dir=elsewhere", "seed=3"]
    models.require_twin(begun(tmp_path / "float", changes, twin=True), begun(tmp_path / "binarized"))


def test_an_image_folder_is_known_by_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = begun(tmp_path / "binarized", ["data.name=folder", "data.data_dir=images"])
    same = ["data.name=folder", f"data.data_dir={tmp_path}/here/../images"]
    models.require_twin(begun(tmp_path / "same", same, twin=True), run)
    with pytest.raises(LqFdaError, match=r"they differ in data\.data_dir"):
        other = ["data.name=folder", "data.data_dir=others"]
        models.require_twin(begun(tmp_path / "other", other, twin=True), run)


def test_a_network_is_loaded_in_float32_whatever_the_programs_policy(trained):
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    expected = models.load(trained.binarized).predict(image, verbose=0)
    with precision("mixed_bfloat16"):
        network = models.load(trained.binarized)
        assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    np.testing.assert_array_equal(network.predict(image, verbose=0), expected)


def test_damaged_weights_are_one_clear_error(trained, tmp_path):
    run = RunDir(shutil.copytree(trained.binarized.path, tmp_path / "run"))
    run.best_weights.write_bytes(run.best_weights.read_bytes()[:2000])
    with pytest.raises(LqFdaError, match="weights cannot be loaded") as caught:
        models.load(run)
    assert caught.value.cure == "Restore the file from a copy, or train again."
