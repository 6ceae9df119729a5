"""Every operator of LCE and every option, against LCE's own interpreter, bit for bit, for every instruction set."""

import dataclasses
import random

import numpy as np
import pytest
from lce_files import Convolution, File, pack, words

from lq_fda.runtimes.libraries import lce_module

CASES = 120


def by_lce(content: bytes, image: np.ndarray, reference: bool) -> np.ndarray:
    """LCE's result, by its reference kernel or by its optimized one; RuntimeError where a kernel lacks an option."""
    return lce_module().LiteInterpreter(content, 1, reference, False, False).predict([image])[0]


def drawn(seed: int) -> Convolution:
    """A convolution drawn from everything that LCE's converter can write."""
    choose = random.Random(seed)
    groups = choose.choice([1, 1, 1, 2, 3])
    output = choose.choice(["float", "float", "int8", "packed"])
    return Convolution(
        groups=groups,
        channels=choose.choice([1, 3, 31, 32, 33, 63, 64, 65, 96, 160]) if groups == 1 else 32 * groups,
        outputs=choose.choice([1, 7, 8, 31, 32, 33, 63, 64, 65, 100])
        if groups == 1
        else groups * choose.choice([8, 20, 36]),
        filter_height=(taps := choose.choice([(1, 1), (3, 3), (2, 2), (5, 5), (7, 7), (1, 3), (3, 2)]))[0],
        filter_width=taps[1],
        dilations=choose.choice([(1, 1), (1, 1), (2, 2), (1, 3)]),
        strides=choose.choice([(1, 1), (1, 1), (2, 2), (3, 2)]),
        same=choose.choice([True, True, False]),
        height=choose.randint(7, 11),
        width=choose.randint(7, 11),
        output=output,
        # LCE crashes on packed outputs with an activation or with zeros around the image: its converter writes none.
        pad_value=1 if output == "packed" else choose.choice([1, 1, 0]),
        activation=0 if output == "packed" else choose.choice([0, 0, 1, 2, 3]),
        float_filter=choose.choice([False, False, True]),
        source=choose.choice(["float", "float", "int8", "bool"]),
        batch=choose.choice([1, 1, 2]),
        seed=seed,
    )


def fits(case: Convolution) -> bool:
    """Whether windows are within the image: LCE's optimized kernel miscounts zero padding where they are larger."""
    extents = [
        (taps - 1) * dilation + 1
        for taps, dilation in zip((case.filter_height, case.filter_width), case.dilations, strict=True)
    ]
    return min(case.output_size()) > 0 and extents[0] <= case.height and extents[1] <= case.width


@pytest.mark.parametrize("seed", range(CASES))
def test_convolutions(seed, run_file, isas):
    case = drawn(seed)
    if not fits(case):
        case = dataclasses.replace(case, dilations=(1, 1))
    image = case.image(seed)
    # LCE wants packed filters; the weights are the same.
    content = dataclasses.replace(case, float_filter=False).content()
    zeros = case.same and case.pad_value == 0
    # The optimized kernel knows no groups, and with zero padding neither activations nor integers.
    reference = case.groups > 1 or (zeros and (case.activation > 0 or case.output != "float"))
    if zeros and reference and case.channels % 2:
        # Where it pads with zeros, the reference kernel refuses an odd number of channels.
        case = dataclasses.replace(case, channels=case.channels + 1)
        content, image = dataclasses.replace(case, float_filter=False).content(), case.image(seed)
    expected = by_lce(content, image, reference)
    for isa in isas:
        np.testing.assert_array_equal(run_file(case.content(), image, isa=isa), expected, err_msg=f"{isa} {case}")


@pytest.mark.parametrize("channels", [31, 32, 33, 63, 64, 65, 256])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_channels_around_words_and_images_of_any_size(channels, size, run_file, isas):
    case = Convolution(channels=channels, outputs=channels, height=size, width=size, seed=channels)
    image = case.image(0)
    expected = by_lce(case.content(), image, reference=False)
    for isa in isas:
        np.testing.assert_array_equal(run_file(case.content(), image, isa=isa), expected)


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 6, 7])
def test_windows_larger_than_the_image(taps, run_file, isas):
    """Here LCE's optimized kernel is wrong with zero padding; its reference kernel is the oracle, up to rounding."""
    case = Convolution(channels=64, height=2, width=3, filter_height=taps, filter_width=taps, pad_value=0, seed=taps)
    image = case.image(0)
    expected = by_lce(case.content(), image, reference=True)
    for isa in isas:
        np.testing.assert_allclose(run_file(case.content(), image, isa=isa), expected, rtol=0, atol=1e-5)


def test_packed_output_with_zeros_around_the_image(run_file, isas):
    """No kernel of LCE computes it, so numpy does: 2 count + what lies outside, against twice the threshold."""
    case = Convolution(channels=32, outputs=33, height=5, width=5, output="packed", pad_value=0, seed=3)
    image = case.image(0)
    generator = np.random.default_rng(case.seed)
    weights = generator.choice([-1.0, 1.0], (33, 3, 3, 32))
    generator.uniform(0.5, 2, 33), generator.normal(size=33)
    thresholds = generator.integers(9 * 32 // 2 - 9, 9 * 32 // 2 + 9, 33)
    signs = np.pad(np.where(image < 0, -1.0, 1.0), ((0, 0), (1, 1), (1, 1), (0, 0)))
    dots = sum(signs[:, y : y + 5, x : x + 5] @ weights[:, y, x].T for y in range(3) for x in range(3))
    expected = np.where(9 * 32 - dots > 2 * thresholds, -1.0, 1.0)
    for isa in isas:
        np.testing.assert_array_equal(run_file(case.content(), image, isa=isa), expected)


@pytest.mark.parametrize("source", ["float", "int8", "bool"])
@pytest.mark.parametrize("target", [np.float32, np.int8, np.bool_], ids=["float", "int8", "bool"])
@pytest.mark.parametrize("channels", [1, 31, 32, 33, 65])
def test_quantize_and_dequantize(source, target, channels, run_file, isas):
    case = Convolution(channels=channels, source=source, height=3, width=2)
    file = File()
    packed = file.operator("LceQuantize", [case.add_source(file)], file.tensor((1, 3, 2, words(channels)), np.int32))
    result = file.tensor((1, 3, 2, channels), target, (0.25, 2) if target is np.int8 else None)
    content, image = file.content(file.operator("LceDequantize", [packed], result)), case.image(channels)
    expected = by_lce(content, image, reference=False)
    for isa in isas:
        np.testing.assert_array_equal(run_file(content, image, isa=isa), expected)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("channels", [31, 32, 65])
@pytest.mark.parametrize(("taps", "strides"), [((2, 2), (2, 2)), ((3, 3), (1, 2)), ((1, 5), (3, 1))])
def test_max_pooling(same, channels, taps, strides, run_file, isas):
    case = Convolution(
        channels=channels, height=7, width=6, filter_height=taps[0], filter_width=taps[1], strides=strides, same=same
    )
    file = File()
    packed = file.operator("LceQuantize", [case.add_source(file)], file.tensor((1, 7, 6, words(channels)), np.int32))
    pooled = file.operator(
        "LceBMaxPool2d",
        [packed],
        file.tensor((1, *case.output_size(), words(channels)), np.int32),
        filter_height=taps[0],
        filter_width=taps[1],
        padding=0 if same else 1,
        stride_height=strides[0],
        stride_width=strides[1],
    )
    content = file.content(file.operator("LceDequantize", [pooled], file.tensor((1, *case.output_size(), channels))))
    image = case.image(1)
    expected = by_lce(content, image, reference=False)
    for isa in isas:
        np.testing.assert_array_equal(run_file(content, image, isa=isa), expected)


def test_packed_input_and_packed_output_of_the_file(run_file, isas):
    case = Convolution(channels=40, outputs=72, output="packed", height=5, width=4)
    file = File()
    packed = file.input((1, 5, 4, words(40)), np.int32)
    content = file.content(case.add(file, packed, np.random.default_rng(0)))
    image = pack(np.random.default_rng(1).normal(size=(1, 5, 4, 40)))
    expected = by_lce(content, image, reference=False)
    for isa in isas:
        np.testing.assert_array_equal(run_file(content, image, isa=isa), expected)
