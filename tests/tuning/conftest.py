"""Searches that take seconds, and oracles that are played without any training."""

import pytest

from lq_fda import tuning

TINY = ["epochs=1", "data.image_size=8", "model.parts=adjustment", "model.width=0.25", "batch_size=128"]


@pytest.fixture
def open_tiny():
    """The search of a folder over the tiniest network; options as for `open_search`."""

    def open_it(folder, *changes, space=("learning_rate",), **options):
        return tuning.open_search(folder, overrides=[*TINY, *changes], space=list(space), **options)

    return open_it


@pytest.fixture(scope="session")
def cost():
    """A cost that was not measured."""

    def make(latency_ms=1.0, size_bytes=1000, macs=10_000):
        return tuning.NetworkCost(
            run="",
            date="",
            model={},
            size_bytes=size_bytes,
            macs=macs,
            binary_macs=macs // 2,
            runtime="lce",
            runtime_version="0",
            settings={},
            rounds=1,
            latency_ms=latency_ms,
            p90_ms=latency_ms,
            min_ms=latency_ms,
            environment={},
            command="",
        )

    return make
