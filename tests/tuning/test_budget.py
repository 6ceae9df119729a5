"""Budgets: what is refused before a search begins, and what is over one."""

import pytest

from lq_fda import tuning
from lq_fda.errors import LqFdaError

NONSENSE = (
    *("", "=3", "latency_ms", "latency_ms=", "memory=3", "macs=many"),
    *("latency_ms=0", "latency_ms=-1", "latency_ms=nan", "latency_ms=inf"),
)


@pytest.mark.parametrize("text", NONSENSE)
def test_an_empty_or_nonsensical_budget_is_one_error(text):
    with pytest.raises(LqFdaError, match=r"This is no budget.*latency_ms, size_bytes, macs") as caught:
        tuning.parse_budget([text])
    assert repr(text) in str(caught.value)


def test_a_limit_that_is_given_twice_is_refused():
    with pytest.raises(LqFdaError, match="macs=2"):
        tuning.parse_budget(["macs=1", "macs=2"])


def test_a_cost_at_the_limit_is_within_it_and_one_above_is_named_with_what_was_measured(cost):
    budget = tuning.parse_budget(["size_bytes=1000", "latency_ms=0.5", "macs=2e6"])
    assert budget.excess(cost(latency_ms=0.5, size_bytes=1000, macs=2_000_000)) == ""
    assert budget.excess(cost(latency_ms=0.5, size_bytes=1001, macs=0)) == "size_bytes=1001, at most 1000"
    over = budget.excess(cost(latency_ms=0.75, size_bytes=2000, macs=2_000_001))
    assert over.split("; ") == [
        "latency_ms=0.75, at most 0.5",
        "size_bytes=2000, at most 1000",
        "macs=2000001, at most 2000000",
    ]
