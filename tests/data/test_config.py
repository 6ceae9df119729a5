import json
import subprocess
import sys

import pydantic
import pytest

from lq_fda.data import DataConfig
from lq_fda.errors import LqFdaError


def test_survives_json():
    config = DataConfig(name="cifar10", augmentation=("crop", "cutout"), validation_fraction=0.2)
    adapter = pydantic.TypeAdapter(DataConfig)
    assert adapter.validate_json(adapter.dump_json(config)) == config
    assert DataConfig(**json.loads(adapter.dump_json(config))) == config


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("validation_fraction", 0.0, "above 0"),
        ("validation_fraction", 0.51, "at most 0.5"),
        ("seed", -1, "seed is out of range"),
        ("seed", 2**32, "seed is out of range"),
        ("image_size", 7, "8 to 1024"),
        ("image_size", 1025, "8 to 1024"),
        ("augmentation", ("crop", "blur"), "No such augmentation"),
        ("augmentation", ("crop", "crop"), "at most once"),
    ],
)
def test_refuses_values_outside_their_range(field, value, message):
    with pytest.raises(LqFdaError, match=message):
        DataConfig(**{field: value})


@pytest.mark.parametrize(("field", "value"), [("name", 3), ("seed", "0"), ("streaming", "no"), ("colour", "red")])
def test_refuses_wrong_types_and_unknown_fields(field, value):
    with pytest.raises(pydantic.ValidationError):
        DataConfig(**{field: value})


def test_configuration_and_preprocessing_need_no_tensorflow():
    program = "import sys; from lq_fda.data import DataConfig, preprocess; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
