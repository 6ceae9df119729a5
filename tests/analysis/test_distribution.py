"""The distribution analysis against numpy on the layers' own outputs."""

import numpy as np
import pytest

from lq_fda import analysis, models
from lq_fda._keras import keras
from lq_fda.errors import LqFdaError

IMAGES = np.random.default_rng(0).normal(size=(6, 32, 32, 3)).astype("float32")


def test_shares_are_those_of_the_feature_maps():
    model = models.create("tiny")
    point = analysis.measure_distribution(model, IMAGES, "validation").points[1]
    conv = model.get_layer(point.name)
    received = model.get_layer("stage1_1_finetuning").output
    before, after = keras.Model(model.input, [received, conv.input]).predict(IMAGES, verbose=0)
    np.testing.assert_allclose(point.before.positive, (before >= 0).mean((0, 1, 2)))
    np.testing.assert_allclose(point.after.positive, (after >= 0).mean((0, 1, 2)))
    # Two graphs may round a value on the border of the window to different sides.
    np.testing.assert_allclose(point.after.inside, (abs(after) <= 1).mean((0, 1, 2)), atol=1e-3)
    for side in (point.before, point.after):
        assert sum(side.counts) + side.below + side.above == before.size


def test_batches_make_no_difference_to_the_shares():
    """17 images are two batches; the analysis of 16 and of 1 must add up to them."""
    model = models.create("tiny")
    images = np.random.default_rng(1).normal(size=(17, 32, 32, 3)).astype("float32")
    whole, most, rest = (
        analysis.measure_distribution(model, part, "validation").points[1]
        for part in (images, images[:16], images[16:])
    )
    expected = (16 * np.array(most.after.positive) + np.array(rest.after.positive)) / 17
    np.testing.assert_allclose(whole.after.positive, expected, atol=1e-4)
    assert sum(whole.after.counts) + whole.after.below + whole.after.above == 17 * 32 * 32 * len(expected)


def test_a_plain_network_has_nothing_after():
    points = analysis.measure_distribution(models.create("tiny", parts=()), IMAGES, "test").points
    assert len(points) == 4 and all(point.after is None for point in points)


@pytest.mark.parametrize(("binarized", "count"), [(False, 6), (True, 0)])
def test_nothing_to_measure_is_said(binarized, count):
    with pytest.raises(LqFdaError, match="nothing to measure"):
        analysis.measure_distribution(models.create("tiny", binarized=binarized), IMAGES[:count], "test")
