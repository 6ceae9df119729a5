"""What a network costs: counted as others count it, the same before training as after, measured once."""

import dataclasses

import pytest

from lq_fda import conversion, training, tuning
from lq_fda.artifacts import Bundle
from lq_fda.benchmarking import Protocol
from lq_fda.errors import LqFdaError
from lq_fda.tuning import costs

QUICK = Protocol(warmups=1, rounds=3)


def test_the_excitation_adds_its_dense_layers(tmp_path):
    changes = ["model.parts=excitation", "model.groups=2", "model.reduction=4", "data.image_size=8"]
    excited = training.apply_overrides(training.digits_demo(), changes)
    plain = training.apply_overrides(excited, ["model.parts="])
    cost, without = (tuning.network_cost(recipe, "lce", tmp_path, QUICK) for recipe in (excited, plain))

    def dense(channels: int, filters: int) -> int:
        width, hidden = channels // 2, channels // 8
        return 2 * hidden * (width + width + filters // 2)  # a perceptron with two heads, once a group

    assert cost.binary_macs == without.binary_macs
    assert cost.macs - without.macs == 2 * dense(32, 32) + dense(32, 64) + dense(64, 64)


def test_what_is_measured_before_training_is_what_training_ships(trained, tmp_path):
    cost = tuning.network_cost(training.load_recipe(trained.binarized), "lce", tmp_path, QUICK)
    shipped = trained.bundle.file(Bundle.MODEL).read_bytes()
    assert cost.size_bytes == pytest.approx(len(shipped), rel=0.01)
    counted = conversion.count_macs(shipped)
    assert (cost.macs, cost.binary_macs) == (sum(counted.values()), counted["binary"])
    assert 0 < cost.min_ms <= cost.latency_ms <= cost.p90_ms and cost.runtime == "lce" and cost.rounds == 3


def test_a_network_is_measured_once_whatever_the_rest_of_the_recipe(tmp_path, monkeypatch):
    recipe = training.apply_overrides(training.digits_demo(), ["data.image_size=8", "model.parts="])
    first = tuning.network_cost(recipe, "lce", tmp_path, QUICK)
    monkeypatch.setattr(costs, "_measure", lambda *_: pytest.fail("measured again"))
    assert tuning.network_cost(dataclasses.replace(recipe, learning_rate=0.5), "lce", tmp_path) == first
    with pytest.raises(pytest.fail.Exception):
        tuning.network_cost(training.apply_overrides(recipe, ["model.width=0.5"]), "lce", tmp_path)


def test_a_damaged_measurement_is_one_error_with_its_cure(tmp_path):
    recipe = training.apply_overrides(training.digits_demo(), ["data.image_size=8", "model.parts="])
    tuning.network_cost(recipe, "lce", tmp_path, QUICK)
    (file,) = tmp_path.iterdir()
    file.write_text('{"latency_ms": "fast"}')
    with pytest.raises(LqFdaError, match=r"measured of a network is damaged.*Remove the file"):
        tuning.network_cost(recipe, "lce", tmp_path, QUICK)


def test_a_network_that_cannot_be_built_or_stays_float_is_told_apart_from_a_disk_that_is_full(tmp_path):
    def cost(*changes):
        tuning.network_cost(training.apply_overrides(training.digits_demo(), changes), "lce", tmp_path)

    with pytest.raises(costs.NoOneBitFile, match="groups=5"):
        cost("model.groups=5")
    with pytest.raises(costs.NoOneBitFile, match="stayed float"):
        cost("model.parts=float_weights", "data.image_size=8")
    assert not list(tmp_path.iterdir())
