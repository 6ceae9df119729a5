"""A 1-bit network against its peers: LCE's interpreter, and its int8 and float twins, in one process and one run.

The networks are not trained: their speed does not depend on what they learned.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
from rich.table import Column, Table

from lq_fda import conversion, models, runtimes
from lq_fda.artifacts import PeerRecord, describe_measurement
from lq_fda.benchmarking import Protocol, summarize, time_interleaved
from lq_fda.errors import LqFdaError
from lq_fda.models import PARTS
from lq_fda.part_costs import give_values

__all__ = ["Peers", "measure_peers", "profile_table"]

_CALIBRATION_IMAGES = 16


class Peers(NamedTuple):
    """What was measured of one network: records, the steps of `1-bit, all parts`, and its median, in milliseconds."""

    records: list[PeerRecord]
    steps: list[dict[str, Any]]
    profiled_ms: float


def measure_peers(
    name: str,
    *,
    size: int = 32,
    threads: int = 1,
    protocol: Protocol = Protocol(),  # noqa: B008
    profile: bool = False,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Peers:
    """Converts a network to all of its forms and times them in turn, the 1-bit ones in every runtime.

    Args:
        name: Of the network.
        size: Height and width of its input.
        threads: Of every runtime.
        protocol: How often to run.
        profile: Whether to time the steps of our runtime, too.
        progress: Called with a step's name, what is done and how much there is.

    Returns:
        One record a form and runtime, one for each instruction set of our runtime, and one without fusion.

    Raises:
        LqFdaError: No such network, or `lq-fda-runtime` is not installed.

    ```python
    from lq_fda.benchmarking import Protocol
    from lq_fda.peers import measure_peers

    found = measure_peers("tiny", protocol=Protocol(warmups=1, rounds=2))
    assert {record.runtime for record in found.records} == {"lq_fda", "lce", "litert"}
    ```
    """
    missing = runtimes.available()["lq_fda"]
    if missing:
        raise LqFdaError(
            f"There is nothing to compare. Expected the runtime. Received: {missing}.",
            cure="Install it: `pip install ./export/runtime`.",
        )
    contents = _forms(name, size, progress)
    sessions: dict[Hashable, runtimes.Session] = {}
    for isa in runtimes.instruction_sets():
        sessions["1-bit", isa] = runtimes.open_session("lq_fda", contents["1-bit"], threads=threads, isa=isa)
    for fuse in (True, False):
        sessions["1-bit, all parts", fuse] = runtimes.open_session(
            "lq_fda", contents["1-bit, all parts"], threads=threads, fuse=fuse
        )
    sessions["1-bit", "lce"] = runtimes.open_session("lce", contents["1-bit"], threads=threads)
    for twin in ("int8", "float"):
        sessions[twin, "litert"] = runtimes.open_session("litert", contents[twin], threads=threads)
    times = time_interleaved(sessions, protocol, lambda done: progress("rounds", done, protocol.rounds))
    shared = describe_measurement()
    records = [
        PeerRecord(
            model=name,
            input_shape=session.input_shape,
            form=case[0],
            runtime=session.runtime,
            runtime_version=session.version,
            settings=session.settings,
            threads=threads,
            warmups=protocol.warmups,
            rounds=protocol.rounds,
            settle=protocol.settle,
            file_bytes=len(contents[case[0]]),
            delegated_nodes=session.delegated_nodes,
            total_nodes=session.total_nodes,
            **summarize(times[case]),
            **shared,
        )
        for case, session in sessions.items()
    ]
    profiled = ("1-bit, all parts", True)
    steps = sessions[profiled].profile(protocol.rounds) if profile else []
    return Peers(records, steps, float(np.median(times[profiled])))


def _forms(name: str, size: int, progress: Callable[[str, int, int], None]) -> dict[str, bytes]:
    shape = (size, size, 3)
    contents = {}
    for index, (form, parts) in enumerate((("1-bit", ()), ("1-bit, all parts", PARTS))):
        progress("converting", index, 3)
        model = models.create(name, input_shape=shape, parts=parts)
        give_values(model)
        contents[form] = conversion.to_lce(conversion.fold(model))
    progress("converting", 2, 3)
    twin = conversion.fold(models.create(name, input_shape=shape, binarized=False))
    images = np.random.default_rng(0).normal(size=(_CALIBRATION_IMAGES, *shape)).astype(np.float32)
    return {**contents, "int8": conversion.to_int8(twin, images), "float": conversion.to_float(twin)}


_GROUPS = {
    "bconv2d": "binary convolutions, and what is fused into them",
    "map": "passes over float maps: shifted signs, shortcuts",
}
_SMALL = "channel means and perceptrons of the excitation"


def profile_table(peers: Peers) -> Table:
    """Where the time of the 1-bit network with all parts goes.

    Args:
        peers: What `measure_peers` returned with `profile`.
    """
    spent: Counter[str] = Counter()
    for step in peers.steps:
        spent[_GROUPS.get(step["name"].split()[0], _SMALL)] += step["microseconds"]
    # Timing the steps costs time itself, a few hundredths of a microsecond each.
    rest = 1000 * peers.profiled_ms - sum(spent.values())
    spent["float operators of the runtime, partitions, copies in and out"] = max(rest, 0.0)
    table = Table("where", Column("us", justify="right"), Column("share", justify="right"), title="1-bit, all parts")
    for name, microseconds in spent.most_common():
        table.add_row(name, f"{microseconds:.0f}", f"{microseconds / (1000 * peers.profiled_ms):.0%}")
    return table
