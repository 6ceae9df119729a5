"""The backbones: shapes, twins, ablation, and what is binary in them."""

import itertools

import numpy as np
import pytest

from lq_fda import models
from lq_fda._keras import keras, larq, tf
from lq_fda.errors import LqFdaError
from lq_fda.layers import BinaryConv2D, FeatureDistributionAdjustment, FeatureFineTuning, GroupExcitation

CONVOLUTIONS = {
    "mobile": 16,
    "resnet18": 16,
    "resnet18_imagenet": 16,
    "resnet20": 18,
    "resnet34_imagenet": 32,
    "tiny": 4,
    "vgg_small": 5,
}


def binary_convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, larq.layers.QuantConv2D)]


def test_every_model_is_covered():
    assert set(CONVOLUTIONS) == set(models.names())


@pytest.mark.parametrize("name", sorted(CONVOLUTIONS))
def test_model_and_its_float_twin_have_the_same_topology(name):
    binarized, twin = (models.create(name, input_shape=(33, 47, 3), classes=7, binarized=b) for b in (True, False))
    assert binarized.output_shape == twin.output_shape == (None, 7)
    assert len(binary_convolutions(binarized)) == CONVOLUTIONS[name]
    assert binary_convolutions(twin) == []

    def kernels(model):
        return [layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]

    assert kernels(binarized) == kernels(twin)


@pytest.mark.parametrize(
    ("config", "estimator"),
    [
        ({}, "triangle"),
        ({"parts": ("adjustment",)}, "triangle"),
        ({"parts": ("excitation", "standardized_weights")}, "window"),
        ({"estimator": "window"}, "window"),
    ],
    ids=str,
)
def test_the_estimator_suits_the_parts_unless_it_is_given(config, estimator):
    model = models.create("tiny", input_shape=(8, 8, 3), **config)
    assert {layer.estimator for layer in model.layers if isinstance(layer, BinaryConv2D)} == {estimator}


@pytest.mark.parametrize("name", sorted(CONVOLUTIONS))
def test_width_and_depth_multiply_channels_and_convolutions(name):
    plain, wide, deep = (
        models.create(name, parts=(), input_shape=(32, 32, 3), **change)
        for change in ({}, {"width": 1.5}, {"depth": 2.0})
    )
    channels = [layer.filters for layer in binary_convolutions(plain)]
    assert [layer.filters for layer in binary_convolutions(wide)] == [channels * 3 // 2 for channels in channels]
    assert [layer.filters for layer in binary_convolutions(deep)] == [c for c in channels for _ in range(2)]
    assert deep.output_shape == wide.output_shape == plain.output_shape


def test_the_narrowest_and_shallowest_network_is_still_one():
    smallest = models.create("tiny", width=0.01, depth=0.01)
    assert [layer.filters for layer in binary_convolutions(smallest)] == [8, 8]
    for change in ({"width": 0.0}, {"depth": 100.0}):
        with pytest.raises(LqFdaError, match=next(iter(change))):
            models.create("tiny", **change)


@pytest.mark.parametrize("parts", [c for n in range(4) for c in itertools.combinations(models.PARTS, n)], ids=str)
def test_each_part_switches_on_and_off_alone(parts):
    model = models.create("tiny", parts=parts, input_shape=(8, 8, 3))
    count = {
        part: sum(isinstance(layer, kind) for layer in model.layers)
        for part, kind in zip(
            models.PARTS, (FeatureDistributionAdjustment, GroupExcitation, FeatureFineTuning), strict=True
        )
    }
    assert count == {part: 4 if part in parts else 0 for part in models.PARTS}
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(np.arange(4), model(images, training=True))
    for gradient, weight in zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights, strict=True):
        assert np.isfinite(gradient).all(), weight.name


def test_input_may_have_any_height_and_width():
    model = models.create("tiny", input_shape=(None, None, 3))
    for height, width in ((8, 8), (9, 31), (1, 1)):
        assert model(np.zeros((1, height, width, 3), "float32")).shape == (1, 10)


def test_bad_requests_name_the_cure():
    with pytest.raises(LqFdaError, match=r"Did you mean 'resnet20'\?.*lq-fda models"):
        models.create("resnet21")
    with pytest.raises(LqFdaError, match="parts"):
        models.create("tiny", parts=("attention",))
    with pytest.raises(LqFdaError, match="classes=1"):
        models.create("tiny", classes=1)
    with pytest.raises(LqFdaError, match="wdith"):
        models.create("tiny", wdith=3)
    with pytest.raises(LqFdaError, match="groups=5"):
        models.create("tiny", groups=5)
