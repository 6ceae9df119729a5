"""Progressive resolution: what the network sees, and that a run goes on in the right size."""

import dataclasses

import numpy as np
import pytest

from lq_fda import models, training
from lq_fda._keras import keras
from lq_fda.artifacts import RunDir
from lq_fda.errors import LqFdaError
from lq_fda.training.trainer import Trainer, build_trainer


@pytest.fixture(scope="module")
def growing(small_recipe):
    """Digits at 16x16; the first two of three epochs at 8x8."""
    changes = ["data.image_size=16", "model.input_shape=16,16,3", "small_images.size=8", "small_images.epochs=2"]
    return training.apply_overrides(small_recipe, changes)


def test_the_first_epochs_see_small_images_and_the_others_the_whole(growing, monkeypatch, tmp_path):
    seen, resized = [], Trainer._resized

    def spy(trainer, images):
        images = resized(trainer, images)
        seen.append(images.shape[1])  # while a step is traced: once for each size
        return images

    monkeypatch.setattr(Trainer, "_resized", spy)
    training.train(growing, tmp_path / "run", progress=False)
    assert list(dict.fromkeys(seen)) == [8, 16]
    assert RunDir(tmp_path / "run").result().epochs == 3


def test_small_images_are_the_images_resized(growing):
    trainer = build_trainer(growing, steps_per_epoch=4)
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype("float32")
    assert trainer._resized(images) is images
    trainer.image_size = 8
    # Bilinear at half the size: the mean of 2 by 2 pixels.
    expected = images.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    np.testing.assert_allclose(trainer._resized(images), expected, atol=1e-6)


def test_the_network_that_is_shipped_has_the_size_of_the_recipe(growing, tmp_path):
    recipe = training.apply_overrides(growing, ["epochs=2", "small_images.epochs=1"])
    training.train(recipe, tmp_path / "run", progress=False)
    assert models.load(RunDir(tmp_path / "run")).input_shape == (None, 16, 16, 3)


def test_a_run_that_was_cut_goes_on_in_the_right_size(growing, outcome, assert_same, monkeypatch, tmp_path):
    training.train(growing, tmp_path / "whole", progress=False)

    class Cut(Exception):
        pass

    class CutAfterTwo(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Cut

    with monkeypatch.context() as patch:
        patch.setattr("lq_fda.training.loop.StopOnNan", CutAfterTwo)
        with pytest.raises(Cut):
            training.train(growing, tmp_path / "cut", progress=False)
    training.train(growing, tmp_path / "cut", resume=True, progress=False)
    assert_same(outcome(tmp_path / "cut"), outcome(tmp_path / "whole"))


def test_small_images_to_the_end_are_refused(growing):
    with pytest.raises(
        LqFdaError, match=r"small_images.epochs. must be fewer.*Received: small_images.epochs=3, epochs=3"
    ):
        training.apply_overrides(growing, ["small_images.epochs=3"])
    assert training.float_twin(growing).small_images == growing.small_images
    assert dataclasses.replace(growing, small_images=None).small_images is None
