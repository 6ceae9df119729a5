"""Runtimes behind one interface: same numbers, same errors."""

import sys

import numpy as np
import pytest

from lq_fda import runtimes
from lq_fda.artifacts import Bundle
from lq_fda.errors import LqFdaError


@pytest.fixture(scope="module")
def files(trained):
    return {name: trained.bundle.file(name).read_bytes() for name in Bundle.RUNTIMES}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)


def test_both_runtimes_agree_on_a_file_of_builtin_operators(files, images):
    lce, litert = (runtimes.open_session(name, files[Bundle.FLOAT]).predict(images) for name in ("lce", "litert"))
    np.testing.assert_allclose(lce, litert, rtol=0, atol=1e-5 * np.abs(litert).max())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("file", "runtime"), Bundle.RUNTIMES.items())
def test_images_are_independent_of_each_other_and_of_the_batch(files, images, file, runtime, threads):
    session = runtimes.open_session(runtime, files[file], threads=threads)
    together = session.predict(images)
    assert together.shape == (3, 10) and together.dtype == np.float32
    for index in (2, 0, 1):
        np.testing.assert_array_equal(session.predict(images[index : index + 1])[0], together[index])
    assert session.predict(images[:0]).shape == (0, 10)
    np.testing.assert_array_equal(session.run(images[:1])[0][0], together[0])


def test_litert_counts_what_xnnpack_takes(files):
    session = runtimes.open_session("litert", files[Bundle.FLOAT])
    assert session.total_nodes == len(runtimes.read_tflite(files[Bundle.FLOAT]).operators)
    assert 0 < session.delegated_nodes <= session.total_nodes


def test_a_binary_file_outside_lce_is_explained(files):
    with pytest.raises(LqFdaError, match=r"(?s)built-in operators only.*LceQuantize.*'lce'"):
        runtimes.open_session("litert", files[Bundle.MODEL])


def test_wrong_requests_are_named(files, images):
    with pytest.raises(LqFdaError, match=r"Expected one of \['lce', 'litert', 'lq_fda'\].*'onnx'"):
        runtimes.open_session("onnx", files[Bundle.FLOAT])
    with pytest.raises(LqFdaError, match="threads=0"):
        runtimes.open_session("lce", files[Bundle.FLOAT], threads=0)
    session = runtimes.open_session("lce", files[Bundle.FLOAT])
    for wrong in (images[0], images[:, :7], images[..., :1]):
        with pytest.raises(LqFdaError, match=r"\(n, 8, 8, 3\)"):
            session.predict(wrong)


def test_the_delegate_computes_what_lce_does_and_says_what_it_took(files, images):
    expected = runtimes.open_session("lce", files[Bundle.MODEL]).predict(images)
    for isa in runtimes.instruction_sets():
        session = runtimes.open_session("lq_fda", files[Bundle.MODEL], isa=isa)
        np.testing.assert_allclose(session.predict(images), expected, rtol=0, atol=1e-3)
        assert session.settings["isa"] == isa
        assert 12 <= session.settings["lq_fda_nodes"] < session.delegated_nodes <= session.total_nodes
    steps = session.profile(runs=3)
    assert all(step["runs"] == 3 and step["microseconds"] > 0 for step in steps)
    assert sum(step["name"].startswith("bconv2d") for step in steps) == 4
    with pytest.raises(LqFdaError, match="instruction set"):
        runtimes.open_session("lq_fda", files[Bundle.MODEL], isa="mmx")


def test_without_the_wheel_the_runtime_is_named_as_missing(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "lq_fda_runtime", None)
    assert "pip install ./export/runtime" in runtimes.available()["lq_fda"]
    assert runtimes.instruction_sets() == ()
    with pytest.raises(LqFdaError, match=r"cannot be used here.*not installed"):
        runtimes.open_session("lq_fda", files[Bundle.MODEL])
