"""What a network costs on the device, measured on its converted file before anything is trained.

What it costs does not depend on what it learned: the file has the same operators and as many bytes. So a trial over
its budget costs seconds, and all trials with one network share one measurement.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pydantic

from lq_fda import conversion, data, models, runtimes
from lq_fda._keras import precision
from lq_fda.artifacts import Bundle, describe_measurement, read_json, understood, write_json
from lq_fda.benchmarking import Protocol, summarize, time_interleaved
from lq_fda.errors import LqFdaError
from lq_fda.models import ModelConfig
from lq_fda.part_costs import give_values
from lq_fda.training import Recipe, to_values


class NoOneBitFile(LqFdaError):
    """A network that cannot be built, or does not become a 1-bit file."""


class NetworkCost(pydantic.BaseModel):
    """The cost of a converted network.

    Args:
        model: The network: the fields of `ModelConfig`.
        latency_ms: Median of one image on one thread; `min_ms` and `p90_ms` likewise.
        size_bytes: Of the `.tflite` file.
        macs: Multiply-accumulates an image; `binary_macs` of them are binary.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    run: str
    date: str
    model: dict[str, Any]
    size_bytes: int
    macs: int
    binary_macs: int
    runtime: str
    runtime_version: str
    settings: dict[str, Any]
    rounds: int
    latency_ms: float
    p90_ms: float
    min_ms: float
    environment: dict[str, Any]
    command: str


def best_runtime() -> str:
    """What times the 1-bit file here: LiteRT with the delegate where that is installed, else LCE's interpreter."""
    return Bundle.RUNTIMES[Bundle.MODEL] if runtimes.available()[Bundle.DELEGATE] else Bundle.DELEGATE


def network_cost(recipe: Recipe, runtime: str, folder: Path, protocol: Protocol = Protocol()) -> NetworkCost:  # noqa: B008
    """The cost of a recipe's network; measured once and read from the folder afterwards.

    Args:
        recipe: Its model, and the size of its images.
        runtime: What runs the file.
        folder: Of the measurements, a file a network.
        protocol: How often to run.

    Raises:
        NoOneBitFile: The network cannot be built, or a layer stays float.
        LqFdaError: The measurement cannot be written or read.
    """
    config = recipe.model
    if None in config.input_shape:
        config = dataclasses.replace(config, input_shape=data.load(recipe.data).input_shape)
    values = to_values(dataclasses.replace(recipe, model=config))["model"]
    digest = hashlib.sha256(json.dumps([values, runtime], sort_keys=True).encode()).hexdigest()
    file = folder / f"{digest[:16]}.json"
    if not file.is_file():
        write_json(file, _measure(config, values, runtime, protocol).model_dump(mode="json"))
    with understood(file, "What was measured of a network", cure="Remove the file: it is measured again."):
        return NetworkCost.model_validate(read_json(file))


def _measure(config: ModelConfig, values: dict[str, Any], runtime: str, protocol: Protocol) -> NetworkCost:
    content = _converted(config)
    macs = conversion.count_macs(content)
    session = runtimes.open_session(runtime, content)
    times = summarize(time_interleaved({runtime: session}, protocol)[runtime])
    return NetworkCost(
        model=values,
        size_bytes=len(content),
        macs=sum(macs.values()),
        binary_macs=macs["binary"],
        runtime=session.runtime,
        runtime_version=session.version,
        settings=session.settings,
        rounds=protocol.rounds,
        latency_ms=times["median_ms"],
        p90_ms=times["p90_ms"],
        min_ms=times["min_ms"],
        **describe_measurement(),
    )


def _converted(config: ModelConfig) -> bytes:
    try:
        with precision("float32"):
            model = models.build(config)
        give_values(model)
        folded = conversion.fold(model)
        content = conversion.to_lce(folded)
        conversion.require_binary(conversion.report(folded, content))
    except LqFdaError as error:
        raise NoOneBitFile(error.problem, cure=error.cure) from error
    return content
