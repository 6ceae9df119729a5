"""Folding changes the graph and not what it computes."""

import itertools

import numpy as np
import pytest

from lq_fda import models
from lq_fda.conversion.folding import fold
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
