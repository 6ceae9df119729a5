"""Two stages of training: the second starts with the weights of the first."""

import dataclasses

import numpy as np
import pytest

from lq_fda import models, training
from lq_fda.artifacts import RunDir
from lq_fda.errors import LqFdaError
from lq_fda.training.trainer import build_trainer


@pytest.fixture(scope="module")
def first_stage(small_recipe, tmp_path_factory):
    """A run of one epoch with binary activations and float weights."""
    recipe = training.apply_overrides(small_recipe, ["epochs=1", "warmup_epochs=0"])
    parts = (*recipe.model.parts, "float_weights")
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, parts=parts))
    output = tmp_path_factory.mktemp("stages") / "first"
    training.train(recipe, output, progress=False)
    return output


def second_stage(small_recipe, first_stage, *overrides):
    return training.apply_overrides(small_recipe, [f"start={first_stage}", *overrides])


def test_the_first_stage_trains_weights_that_are_no_signs(first_stage):
    (kernel, *_) = [
        layer.kernel for layer in models.load(RunDir(first_stage)).layers if layer.name.endswith("1_1_conv")
    ]
    assert len(np.unique(kernel)) > 2


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_second_stage_starts_with_the_weights_of_the_first(small_recipe, first_stage, precision):
    recipe = second_stage(small_recipe, first_stage, f"precision={precision}")
    network = build_trainer(recipe, steps_per_epoch=10).network
    for theirs, ours in zip(models.load(RunDir(first_stage)).get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.seed=1", r"first stage learned something else. Expected data.seed=1. Received: data.seed=0"),
        ("model.parts=adjustment,finetuning", "another network"),
        ("start=nowhere", "no run directory"),
    ],
)
def test_a_first_stage_that_does_not_fit_is_refused(small_recipe, first_stage, override, message):
    with pytest.raises(LqFdaError, match=message):
        build_trainer(second_stage(small_recipe, first_stage, override), steps_per_epoch=10)


def test_the_twin_has_one_stage(small_recipe, first_stage):
    assert training.float_twin(second_stage(small_recipe, first_stage)) == training.float_twin(small_recipe)
