"""Folding changes the graph and not what it computes."""

import itertools

import numpy as np
import pytest

from lq_fda import models
from lq_fda._keras import keras, larq
from lq_fda.conversion.folding import fold
from lq_fda.errors import LqFdaError
from lq_fda.layers import FeatureDistributionAdjustment, FeatureFineTuning


@pytest.mark.parametrize("parts", [c for n in range(4) for c in itertools.combinations(models.PARTS, n)], ids=str)
def test_the_folded_network_decides_as_before(parts):
    rng = np.random.default_rng(0)
    model = models.create("tiny", parts=parts)
    for weight in model.weights:
        if any(word in weight.name for word in ("gamma", "variance", "slope")):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif any(word in weight.name for word in ("beta", "mean", "shift", "bias", "scale")):
            weight.assign(rng.normal(size=weight.shape) * 0.3)
    images = rng.normal(size=(16, 32, 32, 3)).astype("float32")
    folded = fold(model)
    kinds = (FeatureDistributionAdjustment, FeatureFineTuning)
    assert not any(isinstance(layer, kinds) for layer in folded.layers)
    expected, received = model.predict(images, verbose=0), folded.predict(images, verbose=0)
    np.testing.assert_array_equal(received.argmax(1), expected.argmax(1))
    # A rounding near zero may flip a sign in single images, and one flip moves every logit: hence the median.
    assert np.median(np.abs(received - expected)) < 1e-4 * expected.std()


def shared_norm(inputs):
    norm = keras.layers.BatchNormalization()
    return [norm(keras.layers.Conv2D(32, 3)(inputs)) for _ in range(2)]


def shared_convolution(inputs):
    pointwise = keras.layers.Conv2D(32, 1)
    return [pointwise(keras.layers.Conv2D(32, 3)(inputs)) for _ in range(2)]


def shared_with_a_nested_network(inputs):
    pointwise = keras.layers.Conv2D(32, 1)
    maps = [keras.layers.Conv2D(32, 3)(inputs) for _ in range(2)]
    entry = keras.Input(maps[0].shape[1:])
    return [pointwise(maps[0]), keras.Model(entry, pointwise(entry))(maps[1])]


@pytest.mark.parametrize("branches", [shared_norm, shared_convolution, shared_with_a_nested_network])
def test_a_layer_with_several_calls_keeps_its_weights(branches):
    rng = np.random.default_rng(0)
    inputs = keras.Input((8, 8, 3))
    adjusted = [FeatureDistributionAdjustment()(branch) for branch in branches(inputs)]
    model = keras.Model(inputs, keras.layers.Concatenate()([larq.quantizers.SteSign()(x) for x in adjusted]))
    for weight in model.weights:
        spread = rng.uniform(0.5, 1.5, weight.shape)
        weight.assign(spread if "gamma" in weight.name or "variance" in weight.name else rng.normal(size=weight.shape))
    images = rng.normal(size=(4, 8, 8, 3)).astype("float32")
    differing = fold(model).predict(images, verbose=0) != model.predict(images, verbose=0)
    assert differing.mean() < 1e-3  # Only what rounding brings over a threshold.


def test_a_nested_network_that_is_not_functional_is_refused():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    inputs = keras.Input((8, 8, 3))
    with pytest.raises(LqFdaError, match="Received: Own"):
        fold(keras.Model(inputs, Own()(inputs)))
