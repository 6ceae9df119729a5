"""What the delegate did with a graph: which operators it took, and why not the others."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import Any

from lq_fda_runtime.errors import LqFdaRuntimeError


@dataclasses.dataclass(frozen=True)
class Node:
    """One operator of the graph.

    Args:
        index: Its place in the file.
        op: TFLite's name of it, or the custom operator's (`LceBconv2d`).
        taken: Whether the delegate runs it.
        reason: Why not; empty when it does.
        partition: Which of the delegate's partitions runs it; None when none does.
    """

    index: int
    op: str
    taken: bool
    reason: str
    partition: int | None


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that the delegate does in a partition, which may be several operators at once.

    Args:
        partition: The partition.
        name: What it does.
        nodes: The operators that it stands for.
        runs: How often it ran; 0 without profiling.
        microseconds: Mean time of a run; 0 without profiling.
    """

    partition: int
    name: str
    nodes: tuple[int, ...]
    runs: int = 0
    microseconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class DelegateReport:
    """The delegate's account of itself.

    Args:
        version: Of the library.
        isa: The instruction set that its kernels use.
        threads: Size of its thread pool.
        fuse: Whether it may run what lies between binary convolutions.
        nodes: Every operator of the graph, the first of a file that holds several.
        steps: What runs in its partitions.
    """

    version: str
    isa: str
    threads: int
    fuse: bool
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]

    @property
    def taken(self) -> int:
        """How many operators the delegate runs."""
        return sum(node.taken for node in self.nodes)

    @property
    def partitions(self) -> int:
        return len({node.partition for node in self.nodes if node.taken})

    def counts(self) -> dict[str, tuple[int, int]]:
        """By name of operator: how many the delegate runs, and how many there are."""
        there, taken = Counter(), Counter()
        for node in self.nodes:
            there[node.op] += 1
            taken[node.op] += node.taken
        return {name: (taken[name], there[name]) for name in sorted(there)}

    def refusals(self) -> dict[tuple[str, str], int]:
        """By name of operator and reason: how many the delegate leaves to the runtime."""
        return dict(sorted(Counter((node.op, node.reason) for node in self.nodes if not node.taken).items()))


def parse_report(text: str) -> DelegateReport:
    """Reads the delegate's JSON.

    Fields that this version does not know are passed over: a newer library may say more.

    Raises:
        LqFdaRuntimeError: It is not what the delegate writes.
    """
    try:
        content = json.loads(text)
        nodes = tuple(Node(**_known(Node, node)) for node in content["nodes"])
        steps = tuple(Step(**{**_known(Step, step), "nodes": tuple(step["nodes"])}) for step in content["steps"])
        rest = {name: content[name] for name in ("version", "isa", "threads", "fuse")}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LqFdaRuntimeError(
            f"The delegate's report cannot be read. Received: {text[:80]!r} ({error!r}).",
            cure="Reinstall: `pip install --force-reinstall lq-fda-runtime`.",
        ) from error
    return DelegateReport(nodes=nodes, steps=steps, **rest)


def _known(kind: type, content: dict[str, Any]) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: content[name] for name in names if name in content}
