"""Optimizers and the schedule against their closed forms, written out in NumPy."""

import dataclasses
import math

import numpy as np
import pytest

from lq_fda import training
from lq_fda._keras import keras, larq
from lq_fda.errors import LqFdaError
from lq_fda.training.optimizers import build_optimizer, is_binary, learning_rate
from lq_fda.training.schedules import warmup_cosine

STEPS = 10
BASE = dataclasses.replace(training.digits_demo(), epochs=4, warmup_epochs=0.0, learning_rate=0.1)


@pytest.fixture
def variables(micro_network):
    return micro_network().trainable_variables


def read(variables):
    return [variable.numpy() for variable in variables]


def gradients(variables, seed=0, scale=1.0):
    random = np.random.default_rng(seed)
    return [(scale * random.normal(size=variable.shape)).astype(np.float32) for variable in variables]


@pytest.mark.parametrize("warmup", [0, 0.5, 1.0, 3.9])
def test_the_rate_rises_along_a_line_and_falls_along_a_cosine(warmup):
    rate = warmup_cosine(0.3, epochs=4, warmup_epochs=warmup, steps_per_epoch=STEPS)
    end, peak = 4 * STEPS, round(warmup * STEPS)
    for step in range(end + 1):
        if step < peak:
            expected = 0.3 * step / peak
        else:
            expected = 0.3 * (1 + math.cos(math.pi * (step - peak) / (end - peak))) / 2
        assert float(rate(step)) == pytest.approx(expected, abs=1e-7), step


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weight_decay_spares_binary_kernels_and_one_dimensional_weights(name, variables):
    recipe = dataclasses.replace(BASE, optimizer=name, weight_decay=0.2)
    optimizer = build_optimizer(recipe, variables, STEPS)
    before = read(variables)
    for _ in range(2):
        optimizer.apply_gradients(zip(gradients(variables, scale=0), variables, strict=True))
    kept = (1 - 0.1 * 0.2) * (1 - float(learning_rate(recipe, STEPS)(1)) * 0.2)
    decayed = []
    for variable, old in zip(variables, before, strict=True):
        spared = is_binary(variable) or len(variable.shape) < 2
        np.testing.assert_allclose(variable.numpy(), old if spared else kept * old, rtol=1e-6, err_msg=variable.name)
        decayed += [] if spared else [variable.name]
    assert sum(is_binary(variable) for variable in variables) == 1
    assert len(decayed) == 2, "the float convolution and the classifier"


def test_the_recipes_clip_norm_bounds_all_gradients_together(variables):
    recipe = dataclasses.replace(BASE, optimizer="sgd", momentum=0.0, nesterov=False, clip_norm=0.5)
    optimizer = build_optimizer(recipe, variables, STEPS)
    for scale in (10.0, 1e-3):  # above and below
        before, grads = read(variables), gradients(variables, scale=scale)
        rate = float(learning_rate(recipe, STEPS)(int(optimizer.iterations)))
        norm = math.sqrt(sum(float((grad.astype(np.float64) ** 2).sum()) for grad in grads))
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        for variable, old, grad in zip(variables, before, grads, strict=True):
            np.testing.assert_allclose(variable.numpy(), old - rate * grad * min(1, 0.5 / norm), atol=1e-6)


def test_bop_flips_binary_kernels_alone_where_the_mean_gradient_is_strong_and_has_their_sign(variables):
    recipe = dataclasses.replace(
        BASE, optimizer="bop", bop_threshold=0.05, bop_gamma=0.1, learning_rate=0.01, warmup_epochs=0.5
    )
    optimizer = build_optimizer(recipe, variables, STEPS)
    (kernel,) = filter(is_binary, variables)
    index = [is_binary(variable) for variable in variables].index(True)
    kernel.assign(np.where(kernel.numpy() < 0, -1, 1))
    expected, mean = kernel.numpy(), 0.0
    floats = [variable for variable in variables if not is_binary(variable)]
    gamma = warmup_cosine(0.1, epochs=4, warmup_epochs=0.5, steps_per_epoch=STEPS)
    flips = 0
    for step in range(6):
        grads, before = gradients(variables, seed=step), read(floats)
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        rate = float(gamma(step))
        mean = (1 - rate) * mean + rate * grads[index]
        flip = (np.abs(mean) > 0.05) & (np.sign(mean) == expected)
        expected, flips = np.where(flip, -expected, expected), flips + flip.sum()
        np.testing.assert_array_equal(kernel.numpy(), expected, err_msg=f"step {step}")
        moved = [bool((old != variable.numpy()).any()) for old, variable in zip(before, floats, strict=True)]
        assert all(moved) if step else not any(moved), "the warm-up begins at zero"
    assert 0 < flips < 6 * expected.size


def test_beside_bop_adam_has_its_rate_and_its_clipping(variables):
    recipe = dataclasses.replace(BASE, optimizer="bop", clip_norm=0.5)
    optimizer = build_optimizer(recipe, variables, STEPS)
    floats = [index for index, variable in enumerate(variables) if not is_binary(variable)]
    expected = [variables[index].numpy().astype(np.float64) for index in floats]
    first, second = [0.0] * len(floats), [0.0] * len(floats)
    for step in range(3):
        grads = gradients(variables, seed=step, scale=10.0 ** (-step))  # Adam itself does not see a constant factor
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        mine = [grads[index].astype(np.float64) for index in floats]
        share = min(1, 0.5 / math.sqrt(sum((grad**2).sum() for grad in mine)))
        rate = float(learning_rate(recipe, STEPS)(step))
        for place, grad in enumerate(mine):
            first[place] = 0.9 * first[place] + 0.1 * share * grad
            second[place] = 0.999 * second[place] + 0.001 * (share * grad) ** 2
            corrected = math.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            expected[place] -= rate * corrected * first[place] / (np.sqrt(second[place]) + 1e-7)
    for index, value in zip(floats, expected, strict=True):
        np.testing.assert_allclose(variables[index].numpy(), value, atol=2e-5)


def test_bop_without_binary_kernels_is_refused():
    network = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    with pytest.raises(LqFdaError, match="this network has none"):
        build_optimizer(dataclasses.replace(BASE, optimizer="bop"), network.trainable_variables, STEPS)


def test_bop_is_larqs_own(variables):
    optimizer = build_optimizer(dataclasses.replace(BASE, optimizer="bop"), variables, STEPS)
    assert isinstance(optimizer.optimizers[0], larq.optimizers.Bop)
