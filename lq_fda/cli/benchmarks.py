"""Commands that time a bundle, on this machine and on others."""

from pathlib import Path
from typing import Annotated, Literal

import rich
import typer

import lq_fda
from lq_fda.cli.options import (
    BundleArgument,
    Json,
    append_records,
    name_what_is_missing,
    print_json,
    progress_bar,
)
from lq_fda.errors import LqFdaError

_HOST = "host"


def benchmark(
    bundle: BundleArgument,
    device: Annotated[
        list[str],
        typer.Option(
            metavar="DEVICE", help="host (this machine), ssh://user@host:port, adb or adb:SERIAL; may be repeated."
        ),
    ] = (_HOST,),
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas; all: as many as there are.")] = (
        "1,all"
    ),
    rounds: Annotated[int, typer.Option(help="Runs of every file that count.")] = 200,
    wheels: Annotated[
        Path | None,
        typer.Option(
            help="For ssh: a wheel of lq-fda-runtime, or a folder with wheels, of which the one that fits is sent; "
            "without it, the package that is installed here."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw latency and size into this .svg file.")] = None,
    as_json: Json = False,
) -> None:
    """Time the 1-bit, int8 and float files of a bundle, interleaved, on this machine and on others.

    Example: lq-fda benchmark runs/r20/bundle --plot latency.svg

    Example: lq-fda benchmark runs/r20/bundle --device host --device ssh://pi@raspberrypi.local --wheels dist

    Example: lq-fda benchmark runs/r20/bundle --device adb --output phone.jsonl
    """
    benchmarking, artifacts = lq_fda.benchmarking, lq_fda.artifacts
    devices = [benchmarking.devices.open_device(name, wheels=wheels) for name in device]
    with progress_bar() as progress:
        measured = benchmarking.devices.measure_all(
            artifacts.Bundle(bundle),
            devices,
            threads=_thread_counts(threads),
            protocol=benchmarking.Protocol(rounds=rounds),
            progress=progress,
        )
    if as_json:
        print_json([record.model_dump(mode="json") for record in measured.records])
    elif measured.records:
        rich.print(benchmarking.latency_table(measured.records))
        rich.print(benchmarking.device_table(measured.records))
        if _HOST in device:
            name_what_is_missing()
    append_records(output, measured.records)
    if plot is not None and measured.records:
        artifacts.write_atomic(plot, lq_fda.reporting.bars(measured.records))
    measured.require_all()


def _thread_counts(text: str) -> list[int | Literal["all"]]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part == "all" or part.isdecimal() for part in parts):
        raise LqFdaError(f"Expected thread counts such as 1,all. Received: threads={text!r}.", cure="Write numbers.")
    return ["all" if part == "all" else int(part) for part in parts]


def benchmark_log(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="What LiteRT's benchmark_model has printed.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read what LiteRT's own tool benchmark_model has printed, also into `adb logcat`; its runs are not interleaved.

    Keep the log by: benchmark_model --graph=int8.tflite --num_threads=1 2>&1 | tee int8.log

    Example: lq-fda benchmark-log int8.log --output benchmark_model.jsonl
    """
    benchmarking = lq_fda.benchmarking
    records = [record for log in logs for record in benchmarking.read_benchmark_model(log)]
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
    else:
        rich.print(benchmarking.benchmark_model_table(records))
    append_records(output, records)
