"""The protocol of a benchmark, on files that only note that they ran."""

import gc
from collections import Counter

import numpy as np
import pytest
from lq_fda_runtime import LqFdaRuntimeError, benchmark
from lq_fda_runtime.benchmark import Protocol, time_interleaved


class Noting:
    input_shape = (1, 2, 2, 3)

    def __init__(self, name, log):
        self.name, self.log = name, log

    def run(self, value):
        assert value.shape == self.input_shape and value.dtype == np.float32
        self.log.append((self.name, gc.isenabled()))


def test_every_round_runs_every_file_once_in_a_new_order():
    log = []
    times = time_interleaved({name: Noting(name, log) for name in "abc"}, Protocol(rounds=40, warmups=5, settle=2))
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys("abc", 40)
    counted = [name for name, _ in log[15:]]
    bursts = ["".join(counted[start : start + 3]) for start in range(0, len(counted), 3)]
    assert all(len(set(burst)) == 1 for burst in bursts), "two runs to settle, and one that counts"
    rounds = ["".join(burst[0] for burst in bursts[start : start + 3]) for start in range(0, len(bursts), 3)]
    assert len(rounds) == 40 and all(sorted(order) == list("abc") for order in rounds)
    assert len(set(rounds)) == 6 and max(Counter(rounds).values()) < 20
    assert not any(collecting for _, collecting in log[15:]) and gc.isenabled()


def test_thread_counts_are_checked_before_anything_is_timed(intact, monkeypatch):
    monkeypatch.setattr(benchmark, "time_interleaved", lambda *_: pytest.fail("it was timed"))
    with pytest.raises(LqFdaRuntimeError, match="num_threads=4096"):
        benchmark.benchmark(intact, threads=(1, 4096))
    with pytest.raises(LqFdaRuntimeError, match="thread counts such as"):
        benchmark.benchmark(intact, threads=())


def test_a_bundle_without_a_1_bit_network_is_refused(bundle, edit):
    edit("files", to={})
    with pytest.raises(LqFdaRuntimeError, match="no 1-bit network"):
        benchmark.benchmark(bundle)
