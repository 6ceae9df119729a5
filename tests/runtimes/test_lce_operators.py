"""LCE gets no file whose operators it would trip over."""

import dataclasses
import subprocess
import sys

import pytest

from lq_fda import runtimes
from lq_fda.artifacts import Bundle
from lq_fda.errors import LqFdaError
from lq_fda.runtimes.lce_operators import require_sound


@pytest.fixture(scope="module")
def file(trained):
    return runtimes.read_tflite(trained.bundle.file(Bundle.MODEL).read_bytes())


def first(file, name):
    return next(operator for operator in file.operators if operator.name == name)


def with_operator(file, operator, **changes):
    operators = [dataclasses.replace(o, **changes) if o == operator else o for o in file.operators]
    return dataclasses.replace(file, operators=tuple(operators))


def with_tensor(file, number, **changes):
    tensors = [dataclasses.replace(t, **changes) if n == number else t for n, t in enumerate(file.tensors)]
    return dataclasses.replace(file, tensors=tuple(tensors))


@pytest.mark.parametrize("name", Bundle.RUNTIMES)
def test_what_the_converters_write_is_sound(trained, name):
    require_sound(runtimes.read_tflite(trained.bundle.file(name).read_bytes()))


@pytest.mark.parametrize(
    "option",
    [
        *({name: value} for name in ("stride_height", "stride_width") for value in (0, -1, 1 << 20, 1.0, None)),
        *({name: value} for name in ("dilation_height_factor", "dilation_width_factor") for value in (0, 1 << 15)),
        *({"channels_in": value} for value in (0, -32, 31 * 32, 1 << 30, "32")),
        *({name: value} for name in ("padding", "pad_values") for value in (-1, 2, True)),
        *({"fused_activation_function": value} for value in (-1, 4)),
        {"padding": 1, "dilation_height_factor": 100},
    ],
    ids=str,
)
def test_an_option_out_of_range_is_refused(file, option):
    operator = first(file, "LceBconv2d")
    changed = with_operator(file, operator, options={**operator.options, **option})
    with pytest.raises(LqFdaError, match=rf"damaged. Received: LceBconv2d at {operator.index}: "):
        require_sound(changed)


def test_options_that_are_missing_or_in_disorder_are_refused(file):
    operator = first(file, "LceBconv2d")
    with pytest.raises(LqFdaError, match="padding=None"):
        require_sound(with_operator(file, operator, options={}))
    with pytest.raises(LqFdaError, match="disorder"):
        require_sound(with_operator(file, operator, options=dict(reversed(operator.options.items()))))


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {"shape": (1, 8, 8, 2)}),
        (0, {"shape": (1, 0, 8, 1)}),
        (0, {"shape": (8, 8, 1)}),
        (1, {"shape": (32, 3, 1, 3)}),
        (1, {"shape": (32, 0, 3, 1)}),
        (1, {"content": None}),
        (1, {"content": b"1234"}),
        (1, {"dtype": "FLOAT32"}),
        (2, {"shape": (31,)}),
        (2, {"shape": (1, 32)}),
        (3, {"content": b""}),
        (3, {"dtype": "INT32"}),
    ],
    ids=str,
)
def test_a_tensor_that_does_not_fit_is_refused(file, place, changes):
    number = first(file, "LceBconv2d").inputs[place]
    with pytest.raises(LqFdaError, match="damaged"):
        require_sound(with_tensor(file, number, **changes))


def test_a_tensor_that_is_missing_or_made_at_the_wrong_time_is_refused(file):
    convolution, quantize = (first(file, name) for name in ("LceBconv2d", "LceQuantize"))
    values, kernel, multiplier, bias, thresholds = convolution.inputs
    assert thresholds == -1
    for inputs in (
        (-1, kernel, multiplier, bias, -1),
        (values, kernel, -1, bias, -1),
        (values, kernel, multiplier, bias),
        (file.outputs[0], kernel, multiplier, bias, -1),
    ):
        with pytest.raises(LqFdaError, match=f"LceBconv2d at {convolution.index}: "):
            require_sound(with_operator(file, convolution, inputs=inputs))
    for outputs in ((file.inputs[0],), (kernel,), (-1,), ()):
        with pytest.raises(LqFdaError, match=f"LceQuantize at {quantize.index}: |before it is made"):
            require_sound(with_operator(file, quantize, outputs=outputs))
    with pytest.raises(LqFdaError, match="an output that nothing makes"):
        require_sound(dataclasses.replace(file, operators=file.operators[:-1]))


MUTATE = """
import re, sys
import numpy as np
from lq_fda import runtimes
from lq_fda.errors import LqFdaError

model, generator = open(sys.argv[1], "rb").read(), np.random.default_rng(0)
places = [place for key in re.finditer(rb"channels_in\\0", model) for place in range(key.start(), key.start() + 200)]
refused = 0
for _ in range(300):
    content = bytearray(model)
    for place in generator.choice(places, size=generator.integers(1, 4)):
        content[place] = generator.choice([0, 1, 128, 255, generator.integers(256)])
    try:
        session = runtimes.open_session("lce", bytes(content))
        session.run(np.zeros(session.input_shape, np.float32))
    except LqFdaError:
        refused += 1
print(refused)
"""


def test_mutated_options_are_run_or_refused_and_never_worse(trained):
    # In a process of its own: a crash of LCE must be this test's failure, not the end of all tests.
    child = subprocess.run(
        [sys.executable, "-c", MUTATE, trained.bundle.file(Bundle.MODEL)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=250,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert 0 < int(child.stdout) < 300
