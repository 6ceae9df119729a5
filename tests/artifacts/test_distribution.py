"""What a sign lets through, against closed forms and against simulated convolutions."""

import math

import numpy as np
import pydantic
import pytest

from lq_fda.artifacts import BinarizationPoint, Distribution, ValueDistribution


def described(values: np.ndarray, window: float = 1.0, edges=(-10.0, 0.0, 10.0)) -> ValueDistribution:
    """Of values, (n, channels)."""
    return ValueDistribution(
        positive=tuple((values >= 0).mean(0)),
        inside=tuple((abs(values) <= window).mean(0)),
        mean=tuple(values.mean(0)),
        variance=tuple(values.var(0)),
        magnitude=tuple(abs(values).mean(0)),
        counts=tuple(np.histogram(values, edges)[0].tolist()),
    )


@pytest.mark.parametrize(
    ("share", "bits"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.25, 2 - 0.75 * math.log2(3)), (0.11, 0.4999)]
)
def test_the_entropy_of_a_known_balance(share, bits):
    values = ValueDistribution(positive=(share,), inside=(1,), mean=(0,), variance=(1,), magnitude=(1,), counts=(1,))
    assert values.entropy[0] == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        pytest.param([-2, 2, -2, 2], 0, id="two peaks"),
        pytest.param([-1, 5, -1, 5], 0, id="two peaks that a scale and an offset reach"),
        pytest.param([-3, -1, 1, 3], 1 - 2**2 / 5, id="a known vector: a = 2"),
        pytest.param([1, 2, 3, 4], 1, id="one sign"),
        pytest.param([0, 0, 0, 0], 1, id="constant"),
        # x = -1, 1, 2, 3: the best values for the signs are their means, -1 and 2; what is left is 2 of 8.75.
        pytest.param([-1, 1, 2, 3], 2 / 8.75, id="unbalanced"),
        pytest.param(np.linspace(-1, 1, 100_000), 0.25, id="uniform"),
        pytest.param(np.random.default_rng(0).normal(size=400_000), 1 - 2 / math.pi, id="normal"),
        pytest.param(np.random.default_rng(0).laplace(size=400_000), 0.5, id="Laplace"),
    ],
)
def test_the_quantization_error_of_known_distributions(values, error):
    found = described(np.array(values, dtype=float)[:, None]).quantization_error[0]
    assert found == pytest.approx(error, abs=5e-3 if len(values) == 400_000 else 1e-4)


def test_scale_and_offset_count_for_nothing_where_the_signs_stay():
    values = np.random.default_rng(0).normal(size=(1000, 1))
    apart = np.where(values >= 0, values + 3, values - 1)
    one, other = (described(np.hstack([7 * x, x])).quantization_error for x in (values, apart))
    assert one[0] == pytest.approx(one[1]) and other[0] == pytest.approx(other[1])
    assert other[0] < one[0], "what lies apart loses less"


@pytest.mark.parametrize("channels", [31, 32, 33])
def test_dead_and_blocked_channels(channels):
    values = np.random.default_rng(0).normal(size=(1000, channels))
    values[:, 0] = abs(values[:, 0])
    values[:, -1] = np.sign(values[:, -1]) * 5
    values[:9, -1] = 0.5  # 0.9 %, a little below the threshold.
    values[:, -2] = np.sign(values[:, -2]) * 5
    values[:11, -2] = 0.5
    found = described(values)
    assert np.flatnonzero(found.dead).tolist() == [0]
    assert np.flatnonzero(found.blocked).tolist() == [channels - 1]


@pytest.mark.parametrize("draw", ["normal", "laplace", "uniform"])
def test_forward_is_the_squared_correlation_of_the_convolutions_output(draw):
    """Sums over 400 independent products, with and without the signs."""
    random = np.random.default_rng(0)
    sample = {"uniform": lambda size: random.uniform(-1, 1, size)}.get(draw) or (
        lambda size: getattr(random, draw)(size=size)
    )
    x, w = sample((2000, 400)), sample((400, 32))
    floats, signs = x @ w, np.sign(x) @ np.sign(w)
    measured = np.mean([np.corrcoef(a, b)[0, 1] ** 2 for a, b in zip(floats.T, signs.T, strict=True)])
    error = 1 - abs(w).mean(0) ** 2 / (w**2).mean(0)
    point = BinarizationPoint(name="x", edges=(-10, 0, 10), before=described(x), kernel_error=tuple(error))
    assert point.forward == pytest.approx(measured, abs=0.02)
    assert point.backward == pytest.approx((abs(x) <= 1).mean())
    assert point.kept == point.forward * point.backward


def test_a_standard_normal_distribution_keeps_what_the_texts_say():
    random = np.random.default_rng(0)
    x, w = random.normal(size=(100_000, 3)), random.normal(size=(100_000, 3))
    error = 1 - abs(w).mean(0) ** 2 / (w**2).mean(0)
    point = BinarizationPoint(name="x", edges=(-10, 0, 10), before=described(x), kernel_error=tuple(error))
    assert (point.forward, point.backward, point.kept) == pytest.approx((0.405, 0.683, 0.277), abs=0.005)


def test_a_distribution_survives_its_json():
    values = described(np.random.default_rng(0).normal(size=(50, 33)))
    point = BinarizationPoint(
        name="x", window=None, edges=(-10, 0, 10), before=values, after=values, kernel_error=(0.1,)
    )
    whole = Distribution(split="validation", images=5, points=(point,))
    assert Distribution.model_validate_json(whole.model_dump_json()) == whole


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"edges": (0, 0, 1)}, "must increase"),
        ({"edges": (0, 1)}, "one count a bin"),
        ({"window": 0}, "greater than 0"),
        ({"kernel_error": (1.5,)}, "less than or equal to 1"),
        ({"kernel_error": ()}, "at least 1 item"),
    ],
)
def test_a_point_that_contradicts_itself_is_refused(changes, complaint):
    fields = {
        "name": "x",
        "edges": (-10, 0, 10),
        "before": described(np.ones((4, 2))),
        "kernel_error": (0.1,),
        **changes,
    }
    with pytest.raises(pydantic.ValidationError, match=complaint):
        BinarizationPoint(**fields)


def test_channels_that_do_not_agree_are_refused():
    with pytest.raises(pydantic.ValidationError, match="one number a channel"):
        ValueDistribution(positive=(0.5,), inside=(1, 1), mean=(0,), variance=(1,), magnitude=(1,), counts=(1,))
    with pytest.raises(pydantic.ValidationError, match="finite"):
        ValueDistribution(positive=(0.5,), inside=(1,), mean=(math.nan,), variance=(1,), magnitude=(1,), counts=(1,))
