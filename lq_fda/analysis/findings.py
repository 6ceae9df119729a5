"""Which layers lose the most, what stands out there, and what to try.

Layers are ranked by `BinarizationPoint.kept`: the share of the convolution's output that survives the signs, times the
share of the values that get a gradient. A normal distribution in a window of its standard deviation keeps 0.277.

| rule | speaks up when | which is |
| --- | --- | --- |
| dead | a channel has one sign on all images | no information at all |
| spread | below 50 % inside the window, or a channel below 1 %; deviation above 1.5 windows | a wide normal one |
| offset | the same, deviation up to 1.5 windows | channels whose mean lies beside the window |
| unbalanced | below 0.8 bits a sign | 24 % or 76 % are +1 |
| tails | e_x above 0.43, signs not unbalanced | between a normal (0.363) and a Laplace distribution (0.5) |
| kernel | e_w above 0.43 | the same of the weights |
| restless | above 2 % of the kernel's signs flipped in the last epoch | training ended before they settled |
| frozen | never above 0.2 % an epoch, from the second on | weights that cannot cross zero |

e_x and e_w are `ValueDistribution.quantization_error` and `BinarizationPoint.kernel_error`, means over the channels.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lq_fda.artifacts import BinarizationPoint, Finding, Remark, RunAnalysis, ValueDistribution

LEAST_INSIDE, WIDEST, LEAST_BITS, LARGEST_ERROR = 0.5, 1.5, 0.8, 0.43
RESTLESS, FROZEN = 0.02, 0.002
OFF_CENTRE = 0.5  # Deviations; a normal distribution there still has 0.89 bits.

_ADJUST = "Add `adjustment` to model.parts: it puts every channel around zero, about as wide as the window."
_CALM = "Lower learning_rate, or set clip_norm=1"


class _Layer(NamedTuple):
    """What the rules look at; `flip_rates` from the second epoch on, for the first one begins with random signs."""

    point: BinarizationPoint
    parts: tuple[str, ...]
    flip_rates: list[float]

    @property
    def seen(self) -> ValueDistribution:
        return self.point.seen

    @property
    def adjusted(self) -> bool:
        return "adjustment" in self.parts


_Remark = tuple[str, str] | None


def _dead(layer: _Layer) -> _Remark:
    dead = int(layer.seen.dead.sum())
    if not dead:
        return None
    return (
        f"{dead} of {len(layer.seen.dead)} channels have the same sign on all images: they tell nothing.",
        f"{_CALM}: their thresholds have gone out of reach." if layer.adjusted else _ADJUST,
    )


def _without_gradient(layer: _Layer) -> str | None:
    blocked = int(layer.seen.blocked.sum())
    if layer.point.backward >= LEAST_INSIDE and not blocked:
        return None
    some = f", and in {blocked} of {len(layer.seen.blocked)} channels next to none" if blocked else ""
    return f"{layer.point.backward:.0%} of the values get a gradient{some}"


def _deviation(layer: _Layer) -> float:
    return math.sqrt(np.mean(layer.seen.variance))


def _too_wide(layer: _Layer) -> bool:
    return layer.point.window is not None and _deviation(layer) > WIDEST * layer.point.window


def _spread(layer: _Layer) -> _Remark:
    share = _without_gradient(layer)
    if share is None or not _too_wide(layer):
        return None
    return (
        f"The values are spread far beyond the window (deviation {_deviation(layer):.2f}): {share}.",
        f"{_CALM}: the adjustment's gain has grown. In a model of your own, BinaryConv2D(clip_value=...) is wider."
        if layer.adjusted
        else _ADJUST,
    )


def _offset(layer: _Layer) -> _Remark:
    share = _without_gradient(layer)
    if share is None or _too_wide(layer):
        return None
    distance = math.sqrt(np.mean(np.square(layer.seen.mean)))
    return f"The channels lie beside the window (means {distance:.2f} from zero): {share}.", _recentre(layer)


def _unbalanced(layer: _Layer) -> _Remark:
    bits = float(layer.seen.entropy.mean())
    if bits >= LEAST_BITS:
        return None
    observation = f"The signs are unbalanced: {bits:.2f} bits each, {np.mean(layer.seen.positive):.0%} are +1."
    return observation, _recentre(layer) if _off_centre(layer) else _reshape(layer)


def _off_centre(layer: _Layer) -> bool:
    """Whether means explain unbalanced signs, or an excitation or the lack of an adjustment might; not their shape."""
    relative = np.square(layer.seen.mean) / np.maximum(layer.seen.variance, np.finfo(float).tiny)
    return not layer.adjusted or "excitation" in layer.parts or math.sqrt(np.mean(relative)) > OFF_CENTRE


def _recentre(layer: _Layer) -> str:
    if not layer.adjusted:
        return _ADJUST
    if "excitation" in layer.parts:
        return (
            "Weaken the excitation (model.reduction=4), or train without it to compare: its shift is added to what "
            "the adjustment has centred."
        )
    return f"{_CALM}: the adjustment's shift has carried the channels off."


def _reshape(layer: _Layer) -> str:
    if "finetuning" in layer.parts:
        return "Give the layer more channels (a wider network): several signs say what one cannot."
    return "Add `finetuning` to model.parts: its PReLU reshapes the values before they reach the next sign."


def _tails(layer: _Layer) -> _Remark:
    error = float(layer.seen.quantization_error.mean())
    if error <= LARGEST_ERROR or layer.seen.entropy.mean() < LEAST_BITS:
        return None
    observation = f"The values have long tails: a sign loses {error:.0%} of their variance; of a normal one, 36%."
    return observation, _reshape(layer)


def _kernel(layer: _Layer) -> _Remark:
    error = float(np.mean(layer.point.kernel_error))
    if error <= LARGEST_ERROR:
        return None
    observation = f"Few weights are large and many small: signs lose {error:.0%} of the kernel; of a normal one, 36%."
    if "clamped_weights" in layer.parts:
        return observation, f"{_CALM}: large steps carry weights to where they no longer flip."
    if "standardized_weights" in layer.parts:
        return observation, "Take `clamped_weights` (ReCU) in place of `standardized_weights`: it cuts the large ones."
    return observation, "Add `clamped_weights` (ReCU) to model.parts: it cuts the large ones."


def _restless(layer: _Layer) -> _Remark:
    if not layer.flip_rates or layer.flip_rates[-1] <= RESTLESS:
        return None
    return (
        f"{layer.flip_rates[-1]:.1%} of the kernel's signs flipped in the last epoch: they had not settled.",
        "Train for more epochs; the learning rate then falls more slowly, and the signs settle at its end.",
    )


def _frozen(layer: _Layer) -> _Remark:
    if not layer.flip_rates or max(layer.flip_rates) > FROZEN:
        return None
    return (
        f"At most {max(layer.flip_rates):.2%} of the kernel's signs flipped in an epoch: weights do not cross zero.",
        "Raise learning_rate: binary weights want larger steps than float ones.",
    )


_RULES: dict[str, Callable[[_Layer], _Remark]] = {
    "dead": _dead,
    "spread": _spread,
    "offset": _offset,
    "unbalanced": _unbalanced,
    "tails": _tails,
    "kernel": _kernel,
    "restless": _restless,
    "frozen": _frozen,
}
_NOTHING = Remark(
    rule="none",
    observation="Nothing stands out: it is the weakest of layers that do well.",
    attempt="Look elsewhere: more epochs, distillation from the float twin, a wider network.",
)


def worst_layers(run: RunAnalysis, count: int = 3) -> tuple[Finding, ...]:
    """The layers that keep the least, the worst one first, each with what stands out and what to try.

    Args:
        run: Of a binarized network.
        count: How many; fewer where the network has fewer.
    """
    worst = sorted(run.distribution.points, key=lambda point: point.kept)[:count]
    return tuple(
        Finding(
            layer=point.name,
            forward=point.forward,
            backward=point.backward,
            remarks=_remarks(_Layer(point, run.parts, _flip_rates(run, point.name))) or (_NOTHING,),
        )
        for point in worst
    )


def _flip_rates(run: RunAnalysis, layer: str) -> list[float]:
    rates: Sequence[float | None] = next((trend.flip_rate for trend in run.trends if trend.layer == layer), ())
    return [rate for rate in rates[1:] if rate is not None]


def _remarks(layer: _Layer) -> tuple[Remark, ...]:
    found = ((name, rule(layer)) for name, rule in _RULES.items())
    return tuple(Remark(rule=name, observation=said[0], attempt=said[1]) for name, said in found if said)
