"""What the parts cost is measured on networks as training would leave them."""

import numpy as np
import pytest

from lq_fda import conversion, models, part_costs


def given_values(name, parts):
    model = models.create(name, parts=parts)
    part_costs.give_values(model)
    return model


def test_no_weight_keeps_the_constant_of_its_initializer():
    model = given_values("tiny", models.PARTS)
    assert [weight.name for weight in model.weights if np.ptp(weight.numpy()) == 0] == []
    for weight in model.weights:
        if "gamma" in weight.name or "variance" in weight.name:
            assert weight.numpy().min() > 0, weight.name


@pytest.mark.slow
def test_the_parts_of_a_resnet18_weigh_at_most_five_percent():
    plain, full = (
        len(conversion.to_lce(conversion.fold(given_values("resnet18", parts)))) for parts in ((), models.PARTS)
    )
    assert plain < full <= 1.05 * plain
