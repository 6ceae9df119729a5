"""Reading `.tflite` files, and surviving those that are damaged."""

import subprocess
import sys

import numpy as np
import pytest

from lq_fda import runtimes
from lq_fda.artifacts import Bundle
from lq_fda.errors import LqFdaError


@pytest.fixture(scope="module")
def model(trained):
    return trained.bundle.file(Bundle.MODEL).read_bytes()


def test_the_graph_is_connected_and_typed(model):
    file = runtimes.read_tflite(model)
    assert sum(file.counts().values()) == len(file.operators)
    for operator in file.operators:
        for tensor in operator.inputs:
            if tensor >= 0 and tensor not in file.inputs and file.tensors[tensor].content is None:
                assert file.maker(tensor).index < operator.index
                assert operator in file.readers(tensor)
    (quantize, *_) = [operator for operator in file.operators if operator.name == "LceQuantize"]
    assert file.tensors[quantize.inputs[0]].dtype == "FLOAT32"
    assert file.tensors[quantize.outputs[0]].dtype == "INT32"


def test_inner_tensors_can_be_looked_at(model):
    file = runtimes.read_tflite(model)
    images = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    (logits,) = runtimes.open_session("lce", model).run(images)
    quantized = next(operator for operator in file.operators if operator.name == "LceQuantize").inputs[0]
    session = runtimes.open_session("lce", runtimes.with_outputs(model, [quantized, file.outputs[0]]))
    inner, outer = session.run(images)
    assert inner.shape == file.tensors[quantized].shape
    np.testing.assert_array_equal(outer, logits)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"x" * 1000, "half", "no identifier"], ids=repr)
def test_what_is_no_tflite_file_is_refused(model, content):
    content = {"half": model[: len(model) // 2], "no identifier": b"\0" * 8 + model[8:]}.get(content, content)
    for read in (runtimes.read_tflite, lambda file: runtimes.open_session("lce", file)):
        with pytest.raises(LqFdaError):
            read(content)


MUTATE = """
import sys
import numpy as np
from lq_fda import runtimes
from lq_fda.errors import LqFdaError

model, generator = open(sys.argv[1], "rb").read(), np.random.default_rng(0)
refused = 0
for _ in range(400):
    content = bytearray(model)
    for place in generator.integers(len(content), size=generator.integers(1, 5)):
        content[place] = generator.integers(256)
    try:
        runtimes.read_tflite(bytes(content))
    except LqFdaError:
        refused += 1
print(refused)
"""


def test_a_mutated_file_is_read_or_refused_and_never_worse(trained):
    # In a process of its own: a crash of the reader must be this test's failure, not the end of all tests.
    child = subprocess.run(
        [sys.executable, "-c", MUTATE, trained.bundle.file(Bundle.MODEL)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert int(child.stdout) > 0


@pytest.mark.parametrize("name", Bundle.RUNTIMES)
def test_a_compact_file_computes_the_same_bits_from_aligned_constants(trained, name):
    content = trained.bundle.file(name).read_bytes()
    larger = runtimes.with_outputs(content, list(runtimes.read_tflite(content).outputs))
    compact = runtimes.compact(larger)
    assert len(compact) <= len(larger)
    for tensor in runtimes.read_tflite(compact).tensors:
        if tensor.content is not None and compact.count(tensor.content) == 1:
            assert compact.index(tensor.content) % 16 == 0
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    before, after = (runtimes.open_session(Bundle.RUNTIMES[name], file).predict(images) for file in (content, compact))
    np.testing.assert_array_equal(before, after)
