"""What is measured after every epoch, against numpy; and runs that were begun before something was measured."""

import numpy as np
import pytest

from lq_fda import training
from lq_fda._keras import keras, larq
from lq_fda.artifacts import RunDir
from lq_fda.layers import BinaryConv2D
from lq_fda.training import checkpoints
from lq_fda.training.diagnostics import BinarizationProbe

IMAGES = np.random.default_rng(0).normal(size=(4, 5, 5, 33)).astype("float32")


def network(layer) -> keras.Model:
    inputs = keras.Input((5, 5, 33))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("weights", ["sign", "standardized", "clamped"])
@pytest.mark.parametrize("channels", [31, 32, 33])
def test_the_flip_rate_is_the_share_of_signs_that_changed_since_the_last_call(channels, weights):
    layer = BinaryConv2D(channels, 3, weights=weights, name="binary")
    probe = BinarizationProbe(network(layer), IMAGES)
    # Every filter has as many weights above its mean as below, on both sides of zero: all kinds have the same signs.
    kernel = np.tile(np.where(np.arange(297) % 2, 0.5, -0.5)[:, None], channels).astype("float32")
    kernel[-1] = 0.0
    layer.set_weights([kernel.reshape(3, 3, 33, channels)])
    probe.restart()
    (still,) = probe()
    flipped = kernel.copy()
    flipped[:6, 0] *= -1  # Three of each sign: the mean stays.
    layer.set_weights([flipped.reshape(3, 3, 33, channels)])
    (after,) = probe()
    layer.set_weights([flipped.reshape(3, 3, 33, channels) * 0.9])
    (smaller,) = probe()
    assert (still.flip_rate, smaller.flip_rate) == (0, 0), "a weight that moves without crossing zero is no flip"
    assert after.flip_rate == 6 / kernel.size


def test_the_first_call_counts_from_the_weights_at_the_beginning():
    layer = BinaryConv2D(32, 3)
    model = network(layer)
    probe = BinarizationProbe(model, IMAGES)
    layer.set_weights([-layer.kernel.numpy()])
    assert probe()[0].flip_rate == pytest.approx(1)


@pytest.mark.parametrize(
    ("quantizer", "window"),
    [
        (larq.quantizers.SteSign(clip_value=0.5), 0.5),
        (larq.quantizers.ApproxSign(), 1.0),
        (larq.quantizers.SteSign(clip_value=None), np.inf),
    ],
)
def test_the_window_is_that_of_the_estimator(quantizer, window):
    layer = larq.layers.QuantConv2D(8, 3, input_quantizer=quantizer, kernel_quantizer="ste_sign")
    (found,) = BinarizationProbe(network(layer), IMAGES)()
    np.testing.assert_allclose(found.inside, (np.abs(IMAGES) <= window).mean((0, 1, 2)), rtol=1e-6)


def test_a_run_holds_the_flip_rate_of_every_epoch(reference, small_recipe):
    """The last two checkpoints are there: their kernels give the last epoch's rate. `ema` is what is shipped."""
    history = RunDir(reference).history()
    trainer = training.trainer.build_trainer(small_recipe, 11)
    signs = []
    for number in (2, 3):
        checkpoint = checkpoints._load(reference / "checkpoints" / f"epoch-{number:05d}.npz")
        checkpoints.restore(trainer.state, checkpoint, reference)
        shipped = zip(trainer.network.weights, checkpoints.read_values(trainer.shipped), strict=True)
        signs.append(next(value for weight, value in shipped if weight.name.startswith("stage2_1_conv/")) >= 0)
    assert history[2]["stage2_1_conv/flip_rate"] == np.mean(signs[0] != signs[1])
    assert all(0 < row["stage2_1_conv/flip_rate"] < 1 for row in history)


def test_a_run_that_was_begun_before_flips_were_measured_goes_on(reference, small_recipe, write_recipe, tmp_path):
    run = RunDir(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    write_recipe(small_recipe).rename(run.recipe_file)
    second = checkpoints._load(reference / "checkpoints" / "epoch-00002.npz")
    older = [{name: value for name, value in row.items() if "flip_rate" not in name} for row in second.history]
    checkpoints.save(run.checkpoints, checkpoints.Checkpoint(older, second.values))
    training.train(small_recipe, run.path, resume=True, progress=False)
    expected, found = RunDir(reference).history(), run.history()
    flips = [name for name in expected[0] if name.endswith("/flip_rate")]
    assert len(flips) == 4
    for name in flips:
        assert name not in found[0] and name not in found[1]
        assert found[2][name] == expected[2][name]
    assert [row["loss"] for row in found] == [row["loss"] for row in expected]
    assert run.record("study").history[0]["epoch"] == 1
