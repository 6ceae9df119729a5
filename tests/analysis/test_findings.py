"""Every rule speaks up on one side of its threshold and is silent on the other; the ranking is by what is kept."""

import numpy as np
import pytest

from lq_fda.analysis import findings, worst_layers

PLAIN, ADJUSTED, WHOLE = (), ("adjustment",), ("adjustment", "excitation", "finetuning")


def rules(run) -> dict[str, str]:
    """What stands out at the only layer, and what to try."""
    (finding,) = worst_layers(run)
    return {remark.rule: remark.attempt for remark in finding.remarks}


def test_a_layer_that_does_well_has_nothing_that_stands_out(run_of, point, normal):
    assert set(rules(run_of(point("x", normal()), flip_rates=(0.3, 0.05, 0.01)))) == {"none"}


def test_the_worst_layers_come_first_and_are_no_more_than_there_are(run_of, point, normal):
    points = [point(f"deviation {d}", normal(deviation=d)) for d in (1.0, 4.0, 2.0, 3.0)]
    found = worst_layers(run_of(*points))
    assert [finding.layer for finding in found] == ["deviation 4.0", "deviation 3.0", "deviation 2.0"]
    kept = [finding.forward * finding.backward for finding in found]
    assert kept == sorted(point.kept for point in points)[:3]
    assert len(worst_layers(run_of(*points[:2]))) == 2


def test_a_kernel_alone_can_make_a_layer_the_worst(run_of, point, normal):
    points = [point("good", normal()), point("kernel", normal(), kernel_error=0.6)]
    assert worst_layers(run_of(*points), 1)[0].layer == "kernel"


@pytest.mark.parametrize(("parts", "words"), [(PLAIN, "Add `adjustment`"), (ADJUSTED, "Lower learning_rate")])
@pytest.mark.parametrize("channels", [31, 32, 33])
def test_dead(parts, words, channels, run_of, point, normal):
    values = normal(channels=channels)
    values[1:, -1] = abs(values[1:, -1])
    values[0, -1] = -1e-6  # One value on the other side is enough.
    assert "dead" not in rules(run_of(point("x", values), parts=parts))
    values[0, -1] = 0
    assert words in rules(run_of(point("x", values), parts=parts))["dead"]


@pytest.mark.parametrize(("parts", "words"), [(PLAIN, "Add `adjustment`"), (ADJUSTED, "clip_value")])
def test_spread(parts, words, run_of, point, normal):
    # erf(1 / (d sqrt 2)) = 0.5 at d = 1.48.
    assert "spread" not in rules(run_of(point("x", normal(deviation=1.45)), parts=parts))
    found = rules(run_of(point("x", normal(deviation=1.53)), parts=parts))
    assert words in found["spread"] and "offset" not in found


def test_a_wide_window_or_none_suits_a_wide_distribution(run_of, point, normal):
    values = normal(deviation=3)
    assert "spread" in rules(run_of(point("x", values, window=1.0)))
    assert set(rules(run_of(point("x", values, window=3.0)))) == {"none"}
    assert set(rules(run_of(point("x", values, window=None)))) == {"none"}


@pytest.mark.parametrize(
    ("parts", "words"), [(PLAIN, "Add `adjustment`"), (ADJUSTED, "Lower learning_rate"), (WHOLE, "model.reduction=4")]
)
def test_offset(parts, words, run_of, point, normal):
    # Half of the channels on each side, so that signs of both kinds are there. Inside: 0.511 at 0.9, 0.477 at 1.
    sides = np.where(np.arange(32) % 2, 1, -1)
    assert "offset" not in rules(run_of(point("x", normal() + 0.9 * sides), parts=parts))
    found = rules(run_of(point("x", normal() + 1.0 * sides), parts=parts))
    assert words in found["offset"] and "spread" not in found


def test_one_channel_without_gradient_is_enough(run_of, point, normal):
    values = normal()
    values[:, 3] = np.where(values[:, 3] > 0, 2, -2)
    (finding,) = worst_layers(run_of(point("x", values), parts=PLAIN))
    assert "in 1 of 32 channels next to none" in finding.remarks[0].observation


@pytest.mark.parametrize(
    ("parts", "words"), [(PLAIN, "Add `adjustment`"), (ADJUSTED, "Lower learning_rate"), (WHOLE, "model.reduction=4")]
)
def test_unbalanced(parts, words, run_of, point, normal):
    # 0.8 bits are at a share of 0.243: a mean of 0.697 deviations.
    assert "unbalanced" not in rules(run_of(point("x", normal(-0.66)), parts=parts))
    assert words in rules(run_of(point("x", normal(-0.73)), parts=parts))["unbalanced"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (PLAIN, "Add `adjustment`"),
        (ADJUSTED, "Add `finetuning`"),
        (("adjustment", "finetuning"), "more channels"),
        (WHOLE, "model.reduction=4"),
    ],
)
def test_lopsided_values_are_not_blamed_on_their_mean(parts, words, run_of, point):
    values = np.random.default_rng(0).lognormal(sigma=1.5, size=(20_000, 32))
    standardized = (values - values.mean(0)) / values.std(0)
    assert words in rules(run_of(point("x", standardized), parts=parts))["unbalanced"]


@pytest.mark.parametrize(("parts", "words"), [(ADJUSTED, "Add `finetuning`"), (WHOLE, "more channels")])
def test_tails(parts, words, run_of, point):
    # |x|^s of a Laplace distribution has tails between those of a normal one (0.363) and its own (0.5).
    values = np.random.default_rng(0).laplace(size=(20_000, 32))
    light, heavy = (np.sign(values) * abs(values) ** power for power in (0.8, 0.9))
    assert "tails" not in rules(run_of(point("x", light), parts=parts))
    assert words in rules(run_of(point("x", heavy), parts=parts))["tails"]


def test_unbalanced_signs_are_not_blamed_on_tails(run_of, point, normal):
    found = rules(run_of(point("x", normal(-1.0))))
    assert "unbalanced" in found and "tails" not in found


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (WHOLE, "Add `clamped_weights`"),
        ((*WHOLE, "standardized_weights"), "in place of"),
        ((*WHOLE, "clamped_weights"), "Lower learning_rate"),
    ],
)
def test_kernel(parts, words, run_of, point, normal):
    assert "kernel" not in rules(run_of(point("x", normal(), kernel_error=0.43), parts=parts))
    assert words in rules(run_of(point("x", normal(), kernel_error=0.44), parts=parts))["kernel"]


@pytest.mark.parametrize(
    ("flip_rates", "expected"),
    [
        ((0.3, 0.1, 0.02), "none"),
        ((0.3, 0.1, 0.021), "restless"),
        ((0.3, 0.002, 0.001), "frozen"),
        ((0.001, 0.0021, 0.001), "none"),
        ((0.0,), "none"),
        ((None, None, 0.021), "restless"),
        ((None, None, None), "none"),
    ],
)
def test_flip_rates(flip_rates, expected, run_of, point, normal):
    assert set(rules(run_of(point("x", normal()), flip_rates=flip_rates))) == {expected}


def test_every_rule_is_in_the_docstring():
    documented = [line.split("|")[1].strip() for line in findings.__doc__.splitlines() if line.startswith("| ")]
    assert documented[2:] == list(findings._RULES)
