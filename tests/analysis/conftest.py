"""Runs made of numbers, for the rules; nothing is trained."""

import numpy as np
import pytest

from lq_fda.artifacts import BinarizationPoint, Distribution, RunAnalysis, Trend, ValueDistribution

ALL = ("adjustment", "excitation", "finetuning")


def make_point(name: str, values: np.ndarray, kernel_error: float = 0.3, window: float | None = 1.0):
    """A binarization point whose sign sees values, (n, channels)."""
    inside = (np.abs(values) <= (np.inf if window is None else window)).mean(0)
    seen = ValueDistribution(
        positive=tuple((values >= 0).mean(0)),
        inside=tuple(inside),
        mean=tuple(values.mean(0)),
        variance=tuple(values.var(0)),
        magnitude=tuple(np.abs(values).mean(0)),
        counts=tuple(np.histogram(values, [-100, 0, 100])[0].tolist()),
    )
    return BinarizationPoint(
        name=name, window=window, edges=(-100, 0, 100), before=seen, kernel_error=(kernel_error,) * 8
    )


@pytest.fixture
def run_of():
    """Makes a run of points."""

    def make(*points: BinarizationPoint, parts=ALL, flip_rates=None) -> RunAnalysis:
        def trend(name: str) -> Trend:
            nothing = (None,) * len(flip_rates)
            return Trend(layer=name, positive=nothing, imbalance=nothing, inside=nothing, flip_rate=flip_rates)

        return RunAnalysis(
            name="run",
            network="tiny",
            binarized=True,
            parts=parts,
            epochs=5,
            planned=5,
            best_epoch=5,
            validation_accuracy=0.5,
            distribution=Distribution(split="validation", images=1, points=points),
            trends=tuple(trend(point.name) for point in points) if flip_rates else (),
        )

    return make


@pytest.fixture
def point():
    return make_point


@pytest.fixture
def normal():
    """Values of a normal distribution, (20000, 32)."""

    def draw(mean: float = 0.0, deviation: float = 1.0, channels: int = 32) -> np.ndarray:
        return np.random.default_rng(0).normal(mean, deviation, size=(20_000, channels))

    return draw
