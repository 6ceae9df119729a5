"""What the training speed cannot be measured of."""

import pytest

from lq_fda import training
from lq_fda.errors import LqFdaError

DEMO = training.digits_demo()


def test_a_network_for_images_of_any_size_is_refused():
    recipe = training.apply_overrides(DEMO, ["model.input_shape=null,null,3"])
    with pytest.raises(LqFdaError, match=r"no known size.*Received: model.input_shape=\(None, None, 3\) in 'demo'"):
        training.measure_speed({"demo": recipe})


@pytest.mark.parametrize("nothing", [{"cases": {}}, {"steps": 0}, {"rounds": 0}], ids=str)
def test_nothing_to_measure_is_refused(nothing):
    with pytest.raises(LqFdaError, match="nothing to measure"):
        training.measure_speed(**{"cases": {"demo": DEMO}, **nothing})
