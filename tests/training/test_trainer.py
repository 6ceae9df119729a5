"""One training step: the running mean, precision, and a state that is all that resuming needs."""

import dataclasses

import numpy as np
import pytest

from lq_fda import training
from lq_fda._keras import keras
from lq_fda.errors import LqFdaError
from lq_fda.training import checkpoints
from lq_fda.training.distillation import build_loss
from lq_fda.training.optimizers import build_optimizer
from lq_fda.training.trainer import Trainer, build_trainer, precision

BASE = dataclasses.replace(training.digits_demo(), epochs=4, warmup_epochs=0.5)
RANDOM = np.random.default_rng(0)
BATCHES = [
    (RANDOM.normal(size=(16, 4, 4, 3)).astype(np.float32), RANDOM.integers(10, size=16).astype(np.int32))
    for _ in range(6)
]


@pytest.fixture
def make_trainer(micro_network):
    def make(recipe: training.Recipe) -> Trainer:
        with precision(recipe.precision):
            network = micro_network()
        optimizer = build_optimizer(recipe, network.trainable_variables, steps_per_epoch=10)
        return Trainer(network, optimizer, build_loss(recipe), recipe.ema)

    return make


def values(variables):
    return [np.array(value) for value in checkpoints.read_values(variables)]


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "adam", "ema": 0.9},
        {"optimizer": "sgd", "weight_decay": 1e-3, "clip_norm": 1.0},
        {"optimizer": "adamw", "weight_decay": 1e-3},
        {"optimizer": "bop", "bop_gamma": 0.1},
        {"optimizer": "adam", "precision": "mixed_float16"},
        {"optimizer": "bop", "precision": "mixed_float16", "ema": 0.9},
    ],
    ids=lambda fields: "-".join(map(str, fields.values())),
)
def test_the_state_is_all_that_the_next_steps_depend_on(fields, make_trainer, tmp_path):
    recipe = dataclasses.replace(BASE, **fields)
    trainer = make_trainer(recipe)
    for batch in BATCHES[:3]:
        trainer.train_step(batch)
    checkpoint = checkpoints.Checkpoint([], values(trainer.state))
    for batch in BATCHES[3:]:
        trainer.train_step(batch)
    resumed = make_trainer(recipe)
    checkpoints.restore(resumed.state, checkpoint, tmp_path)
    for batch in BATCHES[3:]:
        resumed.train_step(batch)
    assert any((old != new).any() for old, new in zip(checkpoint.values, values(trainer.state), strict=True))
    for index, (ours, theirs) in enumerate(zip(values(trainer.state), values(resumed.state), strict=True)):
        np.testing.assert_array_equal(ours, theirs, err_msg=str(index))


def test_the_running_mean_of_the_weights_is_what_is_shipped(make_trainer):
    trainer = make_trainer(dataclasses.replace(BASE, ema=0.3))
    expected = values(trainer.network.trainable_variables)
    for step, batch in enumerate(BATCHES, start=1):
        trainer.train_step(batch)
        rate = 1 - min(0.3, (1 + step) / (10 + step))
        weights = values(trainer.network.trainable_variables)
        expected = [mean - rate * (mean - weight) for mean, weight in zip(expected, weights, strict=True)]
    trainable = {id(variable) for variable in trainer.network.trainable_variables}
    means = iter(expected)
    for variable, shipped in zip(trainer.network.weights, values(trainer.shipped), strict=True):
        if id(variable) in trainable:
            np.testing.assert_allclose(shipped, next(means), atol=1e-6)
            assert (shipped != variable.numpy()).any()
        else:
            np.testing.assert_array_equal(shipped, variable.numpy())


def test_without_a_running_mean_the_weights_are_shipped(make_trainer):
    trainer = make_trainer(BASE)
    trainer.train_step(BATCHES[0])
    for shipped, weight in zip(values(trainer.shipped), trainer.network.get_weights(), strict=True):
        np.testing.assert_array_equal(shipped, weight)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_in_half_and_keeps_weights_logits_and_loss_in_float32(policy, small_recipe):
    recipe = dataclasses.replace(small_recipe, precision=policy)
    trainer = build_trainer(recipe, steps_per_epoch=10)
    images = RANDOM.normal(size=(16, 8, 8, 3)).astype(np.float32)
    logs = trainer.train_step((images, BATCHES[0][1]))
    assert np.isfinite(float(logs["loss"]))
    assert {layer.compute_dtype for layer in trainer.network.layers} >= {policy.removeprefix("mixed_")}
    assert {value.dtype for value in values(trainer.shipped)} == {np.dtype(np.float32)}
    assert trainer.network.output.dtype == logs["loss"].dtype == np.float32
    assert keras.mixed_precision.global_policy().name == "float32", "the policy before comes back"


def test_a_penalty_of_the_network_is_part_of_the_loss(make_trainer):
    plain, punished = make_trainer(BASE), make_trainer(BASE)
    punished.network.set_weights(plain.network.get_weights())
    punished.network.add_loss(lambda: 7.0)
    losses = [float(trainer.train_step(BATCHES[0])["loss"]) for trainer in (plain, punished)]
    assert losses[1] == pytest.approx(losses[0] + 7, rel=1e-5)


@pytest.mark.parametrize(
    ("override", "complaint"), [("model.name=tinny", "Did you mean 'tiny'"), ("model.groups=3", "groups")]
)
def test_a_network_that_cannot_be_built_is_one_error(override, complaint):
    with pytest.raises(LqFdaError, match=complaint):
        build_trainer(training.apply_overrides(BASE, [override]), steps_per_epoch=10)
