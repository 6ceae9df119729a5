"""The interpreter against LCE's own and against the stock one."""

import os
import threading

import numpy as np
import pytest
from lq_fda_runtime import Interpreter, LqFdaRuntimeError, available_isas
from lq_fda_runtime.litert import interpreter_module
from lq_fda_runtime.machine import usable_cores

from lq_fda import runtimes

IMAGES = np.random.default_rng(0).normal(size=(16, 8, 8, 3)).astype(np.float32)


def predict(interpreter, images=IMAGES):
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = []
    for image in images:
        interpreter.set_tensor(entry["index"], image[np.newaxis].astype(entry["dtype"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result["index"])[0])
    return np.stack(outputs)


def test_agrees_with_lce(intact):
    """Equal signs, so that only the runtimes' own float operators differ, in the last bits."""
    content = (intact / "model.tflite").read_bytes()
    expected = runtimes.open_session("lce", content).predict(IMAGES)
    found = predict(Interpreter(intact / "model.tflite"))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("fuse", [True, False])
def test_every_instruction_set_agrees(intact, fuse):
    isas = available_isas()
    assert isas[-1] == "portable"
    found = {isa: predict(Interpreter(intact / "model.tflite", isa=isa, fuse=fuse)) for isa in isas}
    for isa in isas:
        np.testing.assert_allclose(
            found[isa], found["portable"], atol=1e-4 * np.abs(found["portable"]).max(), err_msg=isa
        )


@pytest.mark.parametrize("file", ["float.tflite", "int8.tflite"])
def test_a_model_without_lce_operators_runs_unchanged(intact, file):
    interpreter = Interpreter(intact / file)
    stock = interpreter_module().Interpreter(str(intact / file), num_threads=1)
    np.testing.assert_array_equal(predict(interpreter), predict(stock))
    assert interpreter.report().taken == 0


def test_the_stock_interpreter_needs_the_delegate(intact):
    with pytest.raises(RuntimeError, match="Encountered unresolved custom op: LceQuantize"):
        predict(interpreter_module().Interpreter(str(intact / "model.tflite")))


def test_resized_batch_gives_the_same_as_single_images(intact):
    interpreter = Interpreter(intact / "model.tflite")
    single = predict(interpreter)
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(entry["index"], IMAGES.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], IMAGES)
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(result["index"]), single, atol=1e-4 * np.abs(single).max())


def test_several_interpreters_at_once_do_not_disturb_each_other(intact):
    expected = predict(Interpreter(intact / "model.tflite"))
    interpreters = [Interpreter(intact / "model.tflite", num_threads=1 + index % 2) for index in range(6)]
    found = [None] * len(interpreters)

    def work(index):
        found[index] = predict(interpreters[index], np.concatenate([IMAGES] * 8))[-len(IMAGES) :]

    workers = [threading.Thread(target=work, args=(index,)) for index in range(len(interpreters))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for outputs in found:
        np.testing.assert_allclose(outputs, expected, atol=1e-4 * np.abs(expected).max())


def test_profiles_steps(intact):
    interpreter = Interpreter(intact / "model.tflite", profile=True)
    predict(interpreter)
    steps = interpreter.report().steps
    assert any("bconv2d" in step.name.lower() for step in steps)
    assert all(step.runs >= 1 and step.microseconds > 0 and step.nodes for step in steps)


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, "2", None, 4096])
def test_refuses_odd_thread_counts(intact, threads):
    with pytest.raises(LqFdaRuntimeError, match=rf"Expected 1 to {usable_cores()}.*num_threads={threads!r}"):
        Interpreter(intact / "model.tflite", num_threads=threads)


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or usable_cores() < 2, reason="needs two processors to lose one"
)
def test_counts_the_processors_that_this_process_may_use(intact):
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        with pytest.raises(LqFdaRuntimeError, match="Expected 1 to 1"):
            Interpreter(intact / "model.tflite", num_threads=2)
    finally:
        os.sched_setaffinity(0, allowed)


def damaged(content):
    yield b""
    yield b"nonsense"
    yield content[:1000]
    yield content[: len(content) // 2]
    yield bytes(len(content))
    yield content[:4] + b"XXXX" + content[8:]


def test_refuses_damaged_files(intact, tmp_path):
    for content in damaged((intact / "model.tflite").read_bytes()):
        (tmp_path / "m.tflite").write_bytes(content)
        with pytest.raises(LqFdaRuntimeError, match=r"damaged or is no \.tflite file.*m\.tflite"):
            Interpreter(tmp_path / "m.tflite")
        with pytest.raises(LqFdaRuntimeError, match=r"damaged or is no \.tflite file.*model_content") as raised:
            Interpreter(model_content=content)
        assert "must be specified" not in str(raised.value)


def test_names_the_operator_that_nobody_knows(intact):
    content = (intact / "model.tflite").read_bytes()
    assert content.count(b"LceQuantize") == 1
    with pytest.raises(LqFdaRuntimeError, match=r"cannot run this model.*XceQuantize"):
        Interpreter(model_content=content.replace(b"LceQuantize", b"XceQuantize")).allocate_tensors()


@pytest.mark.parametrize("given", [{}, {"model_path": "x", "model_content": b"x"}])
def test_wants_a_path_or_a_content(given):
    with pytest.raises(LqFdaRuntimeError, match="either model_path or model_content"):
        Interpreter(**given)


def test_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(LqFdaRuntimeError, match=r"The model cannot be read.*nowhere"):
        Interpreter(tmp_path / "nowhere.tflite")


def test_refuses_instruction_sets_that_are_not_there(intact):
    absent = next(isa for isa in ("neon", "avx512") if isa not in available_isas())
    for isa in ("mmx", absent, ""):
        with pytest.raises(LqFdaRuntimeError, match=f"refuses its options.*isa='{isa}'.*Expected isa=auto, or one of"):
            Interpreter(intact / "model.tflite", isa=isa)
