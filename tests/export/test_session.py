"""Quantized inputs and outputs, against the formula `real = scale * (stored - zero_point)`."""

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import TensorType
from lce_files import File
from lq_fda_runtime import Bundle, LqFdaRuntimeError
from lq_fda_runtime.session import Session, _Tensor

QUANTIZED = _Tensor(index=0, shape=(5,), dtype=np.dtype(np.int8), scale=0.5, zero_point=3)


def test_encodes_to_the_nearest_step_within_the_type():
    real = np.array([0.0, 0.3, -0.3, 62.2, -1000.0, 1000.0], np.float32)
    np.testing.assert_array_equal(QUANTIZED.encode(real), np.array([3, 4, 2, 127, -128, 127], np.int8))
    assert QUANTIZED.encode(real).dtype == np.int8


def test_decodes_every_value_and_back():
    stored = np.arange(-128, 128).astype(np.int8)
    real = QUANTIZED.decode(stored)
    assert real.dtype == np.float32 and real[0] == -65.5 and real[131] == 0.0
    np.testing.assert_array_equal(QUANTIZED.encode(real), stored)


def test_images_have_to_fit(intact):
    with pytest.raises(LqFdaRuntimeError, match=r"Expected shape \(1, 8, 8, 3\).*shape=\(2, 4, 8, 3\)"):
        Bundle(intact).session().predict(np.zeros((2, 4, 8, 3), np.float32))


def test_the_stock_runtime_says_that_it_needs_the_delegate(intact):
    with pytest.raises(LqFdaRuntimeError, match=r"stock runtime cannot run.*LceQuantize.*with the delegate"):
        Bundle(intact).session(delegate=False)


@pytest.mark.parametrize("delegate", [True, False])
def test_an_operator_that_fails_as_it_runs_is_named(delegate):
    """A RESHAPE whose sizes are computed: whether they fit, only the run tells."""
    file = File()
    source = file.input((1, 4))
    sizes = file.operator("SHAPE", [source], file.tensor((2,), np.int32), outType=TensorType.INT32)
    doubled = file.operator("ADD", [sizes, sizes], file.tensor((2,), np.int32))
    content = file.content(file.operator("RESHAPE", [source, doubled], file.tensor((2, 8))))
    with pytest.raises(LqFdaRuntimeError, match=r"failed as it ran.*shape \(1, 4\).*'some\.tflite'"):
        Session(content, name="some.tflite", delegate=delegate).run(np.zeros((1, 4), np.float32))


@pytest.mark.parametrize("delegate", [True, False])
def test_a_damaged_file_is_called_by_its_name(delegate):
    with pytest.raises(LqFdaRuntimeError, match=r"damaged or is no \.tflite file.*'some\.tflite'"):
        Session(b"nonsense", name="some.tflite", delegate=delegate)
