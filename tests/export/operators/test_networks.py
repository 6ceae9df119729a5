"""Whole networks and what is fused: the delegate against LCE's interpreter and the stock kernels."""

import threading

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder
from lce_files import Convolution, File, words
from lq_fda_runtime import Interpreter, LqFdaRuntimeError

from lq_fda import runtimes

SHAPE = (1, 6, 5, 40)
MAP, IMAGE_VECTOR, VECTOR = SHAPE, (1, 1, 1, 40), (40,)


RELU, RELU_N1_TO_1, RELU6 = 1, 2, 3


def between(stages, *, signs_only=False, seed=0):
    """Quantize, convolution, the given stages, and both their result and its signs, as numbers again.

    A stage is an operator, its operand, and an activation if there is one.
    """
    random = np.random.default_rng(seed)
    case = Convolution(channels=40, outputs=40, height=6, width=5, seed=seed)
    file = File()
    source = file.input(SHAPE)
    packed = file.operator("LceQuantize", [source], file.tensor((*SHAPE[:3], words(40)), np.int32))
    value = case.add(file, packed, random)
    for name, operand, *activation in stages:
        if name == "PRELU":
            other = file.constant(random.uniform(0.1, 0.5, (1, 1, 40)).astype(np.float32))
        elif operand == "source":
            other = source
        elif operand == "mean":
            pooled = file.operator(
                "MEAN", [source, file.constant(np.array([1, 2], np.int32))], file.tensor(IMAGE_VECTOR), keepDims=True
            )
            other = file.operator("LOGISTIC", [pooled], file.tensor(IMAGE_VECTOR))
        else:
            other = file.constant(random.normal(size=operand).astype(np.float32))
        options = {"fusedActivationFunction": activation[0]} if activation else {}
        value = file.operator(name, [value, other], file.tensor(SHAPE), **options)
    signs = file.operator("LceQuantize", [value], file.tensor((*SHAPE[:3], words(40)), np.int32))
    numbers = file.operator("LceDequantize", [signs], file.tensor(SHAPE))
    return file.content(numbers) if signs_only else file.content(value, numbers)


def outputs(interpreter, image):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def opened(content, **options):
    interpreter = Interpreter(model_content=content, **options)
    interpreter.allocate_tensors()
    return interpreter


CHAINS = {
    "residual": [("ADD", "source")],
    "shift": [("ADD", VECTOR)],
    "scale and residual": [("MUL", VECTOR), ("ADD", "source")],
    "block": [("MUL", "mean"), ("ADD", "source"), ("ADD", VECTOR), ("PRELU", None), ("ADD", VECTOR)],
    "excited sign": [("ADD", "source"), ("PRELU", None), ("ADD", "mean")],
    "product": [("MUL", "source"), ("ADD", IMAGE_VECTOR)],
    "map constant": [("ADD", MAP), ("MUL", MAP)],
    "long": [("ADD", VECTOR), ("MUL", VECTOR)] * 6,
    "activations": [("ADD", VECTOR, RELU6), ("MUL", "source", RELU_N1_TO_1), ("ADD", MAP, RELU), ("ADD", VECTOR)],
}


@pytest.mark.parametrize("signs_only", [False, True])
@pytest.mark.parametrize("stages", CHAINS.values(), ids=CHAINS)
def test_what_is_fused_gives_what_the_stock_kernels_give(stages, signs_only, isas):
    content = between(stages, signs_only=signs_only)
    image = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    expected = outputs(opened(content, fuse=False), image)
    for isa in isas:
        interpreter = opened(content, isa=isa)
        assert not [node for node in interpreter.report().nodes if not node.taken], "all of it is worth taking"
        found = outputs(interpreter, image)
        # Sums, products and slopes round as XNNPACK's do; means and logistic functions within a few units in the last
        # place, which reaches a sign only where the number is that close to zero.
        if not signs_only:
            np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=4e-6)
        near_zero = np.zeros(SHAPE, bool) if signs_only else np.abs(expected[0]) < 1e-5
        assert ((found[-1] == expected[-1]) | near_zero).all()


def test_fewer_steps_than_nodes():
    interpreter = opened(between(CHAINS["block"]))
    names = [step.name for step in interpreter.report().steps]
    assert sum("bconv2d" in name for name in names) == 1
    (fused,) = [name for name in names if "bconv2d" in name]
    assert fused.endswith("+ mul + add map + add + prelu + add + sign")


def resized(interpreter, *shapes):
    for detail, shape in zip(interpreter.get_input_details(), shapes, strict=True):
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("stages", CHAINS.values(), ids=CHAINS)
def test_any_batch_is_the_same_image_by_image(batch, stages, isas):
    content = between(stages)
    images = np.random.default_rng(2).normal(size=(batch, *SHAPE[1:])).astype(np.float32)
    for isa in isas:
        single, several = opened(content, isa=isa), resized(Interpreter(model_content=content, isa=isa), images.shape)
        together = outputs(several, images)
        for index in range(batch):
            for whole, part in zip(together, outputs(single, images[index : index + 1]), strict=True):
                np.testing.assert_array_equal(whole[index], part[0])


@pytest.mark.parametrize(
    "shapes", [((1, 6, 6, 32), (1, 6, 1, 32)), ((2, 4, 5, 32), (1, 1, 5, 1)), ((1, 6, 1, 32), (2, 1, 5, 32))]
)
@pytest.mark.parametrize("name", ["ADD", "MUL"])
def test_sizes_that_a_file_leaves_open_may_be_broadcast(name, shapes, isas):
    """Open sizes are stored as 1: what looks like a map there may be a row of numbers later."""
    file = File()
    source, other = file.input((1, 1, 1, 32)), file.input((1, 1, 1, 32))
    packed = file.operator("LceQuantize", [source], file.tensor((1, 1, 1, 1), np.int32))
    case = Convolution(height=1, width=1)
    value = file.operator(name, [case.add(file, packed, np.random.default_rng(0)), other], file.tensor((1, 1, 1, 32)))
    signs = file.operator("LceQuantize", [value], file.tensor((1, 1, 1, 1), np.int32))
    content = file.content(value, file.operator("LceDequantize", [signs], file.tensor((1, 1, 1, 32))))
    random = np.random.default_rng(1)
    images = [random.normal(size=shape).astype(np.float32) for shape in shapes]

    def run(**options):
        interpreter = resized(Interpreter(model_content=content, **options), *shapes)
        for detail, image in zip(interpreter.get_input_details(), images, strict=True):
            interpreter.set_tensor(detail["index"], image)
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]

    expected = run(fuse=False)
    for isa in isas:
        for found, wanted in zip(run(isa=isa), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("shape", [(8, 1, 1), (1, 8, 1), (1, 8, 8), (1, 1, 8), (8,), (1,)])
def test_slopes_are_laid_against_the_map_as_the_stock_kernel_does_it(shape, isas):
    """PRELU(shared_axes=[2, 3]) has a slope a row; here there are as many rows and columns as channels."""
    file = File()
    source = file.input((1, 8, 8, 8))
    packed = file.operator("LceQuantize", [source], file.tensor((1, 8, 8, 1), np.int32))
    case, random = Convolution(channels=8, outputs=8, height=8, width=8), np.random.default_rng(0)
    value = case.add(file, packed, random)
    slopes = file.constant(random.uniform(0.1, 0.9, shape).astype(np.float32))
    content = file.content(file.operator("PRELU", [value, slopes], file.tensor((1, 8, 8, 8))))
    image = random.normal(size=(1, 8, 8, 8)).astype(np.float32)
    expected = outputs(opened(content, fuse=False), image)
    for isa in isas:
        np.testing.assert_array_equal(outputs(opened(content, isa=isa), image), expected)


def test_a_report_is_about_the_graph_that_runs():
    """A file may hold more graphs than the first, for branches; their operators have numbers of their own."""
    content = between(CHAINS["block"])
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    other = schema.ModelT.InitFromPackedBuf(bytearray(content), 0).subgraphs[0]
    other.operators, other.outputs = other.operators[:1], other.operators[0].outputs
    model.subgraphs.append(other)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    assert opened(bytes(builder.Output())).report() == opened(content).report()


def test_other_sizes_of_image_and_back():
    content = between([("ADD", "source"), ("PRELU", None)])
    interpreter = Interpreter(model_content=content)
    index = interpreter.get_input_details()[0]["index"]
    random = np.random.default_rng(3)
    first = random.normal(size=SHAPE).astype(np.float32)
    expected = outputs(opened(content), first)
    for shape in ((1, 9, 11, 40), (1, 1, 1, 40), SHAPE):
        interpreter.resize_tensor_input(index, shape)
        interpreter.allocate_tensors()
        image = first if shape == SHAPE else random.normal(size=shape).astype(np.float32)
        assert outputs(interpreter, image)[0].shape == shape
    for found, wanted in zip(outputs(interpreter, first), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_interpreters_in_several_threads_do_not_disturb_each_other():
    content = between(CHAINS["block"])
    images = np.random.default_rng(4).normal(size=(8, *SHAPE)).astype(np.float32)
    expected = [outputs(opened(content), image) for image in images]
    wrong = []

    def work(number):
        interpreter = opened(content)
        for _ in range(20):
            found = outputs(interpreter, images[number])
            if not all(np.array_equal(a, b) for a, b in zip(found, expected[number], strict=True)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_share_the_work_and_give_the_same():
    case = Convolution(channels=256, outputs=100, height=14, width=15, seed=5)
    image = case.image(5)
    one, two = (outputs(opened(case.content(), num_threads=threads), image) for threads in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])


@pytest.mark.parametrize("option", ["channels_in", "stride_height", "padding"])
def test_options_out_of_range_are_refused(option):
    case = Convolution()
    content = bytearray(case.content())
    # The blob ends with the values, one byte each, in the alphabetical order of their names.
    names = sorted(
        [
            "stride_height",
            "stride_width",
            "dilation_height_factor",
            "dilation_width_factor",
            "padding",
            "pad_values",
            "channels_in",
            "fused_activation_function",
        ]
    )
    values = {name: 1 for name in names} | {"padding": 0, "channels_in": 32, "fused_activation_function": 0}
    blob = bytes(values[name] for name in names)
    assert content.count(blob) == 1
    content[content.index(blob) + names.index(option)] = {"channels_in": 0, "stride_height": 0, "padding": 7}[option]
    with pytest.raises(LqFdaRuntimeError, match="an option of it is out of range"):
        opened(bytes(content))


def test_an_option_of_a_newer_lce_is_refused_by_name():
    file = File()
    source = file.input((1, 4, 4, 32))
    packed = file.operator("LceQuantize", [source], file.tensor((1, 4, 4, 1), np.int32))
    pooled = file.operator(
        "LceBMaxPool2d",
        [packed],
        file.tensor((1, 4, 4, 1), np.int32),
        filter_height=1,
        filter_width=1,
        padding=0,
        stride_height=1,
        stride_width=1,
        hexagonal=1,
    )
    content = file.content(file.operator("LceDequantize", [pooled], file.tensor((1, 4, 4, 32))))
    with pytest.raises(LqFdaRuntimeError, match="option that this version does not know"):
        opened(content)


def test_a_trained_network_agrees_with_lce_on_real_images(trained, isas):
    bundle = trained.bundle
    content, images = bundle.file("model.tflite").read_bytes(), bundle.golden().inputs
    expected = runtimes.open_session("lce", content).predict(images)
    for isa in isas:
        for fuse in (True, False):
            interpreter = opened(content, isa=isa, fuse=fuse)
            found = np.concatenate([outputs(interpreter, image[None])[0] for image in images])
            assert (found.argmax(-1) == expected.argmax(-1)).all()
            # Signs within rounding of zero may flip; what follows is otherwise float rounding.
            assert np.median(np.abs(found - expected).max(-1)) < 1e-4
