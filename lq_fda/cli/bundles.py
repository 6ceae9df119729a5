"""Commands that make a bundle and look into it."""

from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape

import lq_fda
from lq_fda.cli.options import (
    BundleArgument,
    FloatRun,
    Json,
    RunArgument,
    append_records,
    name_what_is_missing,
    print_json,
    progress_bar,
)
from lq_fda.errors import LqFdaError


def convert(
    run: RunArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle directory to make.")],
    float_run: FloatRun = None,
    allow_float: Annotated[
        list[str] | None, typer.Option(metavar="LAYER", help="A layer that may stay float; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Convert a run to a bundle: the 1-bit file, its float and int8 twins, and an account of every layer.

    Example: lq-fda convert runs/r20/binarized --float-run runs/r20/float --output runs/r20/bundle
    """
    artifacts = lq_fda.artifacts
    with progress_bar() as progress:
        bundle = lq_fda.conversion.convert(
            artifacts.RunDir(run),
            output,
            float_run=float_run and artifacts.RunDir(float_run),
            allow_float=allow_float or (),
            progress=progress,
        )
    if as_json:
        print_json(bundle.manifest.conversion.model_dump(mode="json"))
        return
    rich.print(lq_fda.conversion.layer_table(bundle.manifest.conversion))
    rich.print(f"Bundle: {escape(str(output))}")


def verify(
    bundle: BundleArgument,
    run: Annotated[Path, typer.Option(help="The run that the bundle was converted from.")],
    float_run: FloatRun = None,
    images: Annotated[int, typer.Option(help="Test images on which outputs and signs are compared.")] = 128,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to this .json file.")] = None,
    as_json: Json = False,
) -> None:
    """Compare a bundle with Keras: outputs, signs layer by layer, accuracy of every file; exit code 1 if a gate fails.

    Example: lq-fda verify runs/r20/bundle --run runs/r20/binarized --float-run runs/r20/float
    """
    artifacts = lq_fda.artifacts
    opened = artifacts.Bundle(bundle)
    with progress_bar() as progress:
        found = lq_fda.verification.verify(
            opened,
            artifacts.RunDir(run),
            float_run=float_run and artifacts.RunDir(float_run),
            images=images,
            progress=progress,
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        rich.print(lq_fda.verification.tables(found))
        if opened.manifest.trained_twins and float_run is None:
            rich.print("The float and int8 files were not compared with Keras: that needs --float-run.")
        name_what_is_missing()
    if output is not None:
        artifacts.write_json(output, found.model_dump(mode="json"))
    found.require_passed()


def costs(
    model: Annotated[str, typer.Argument(help="A name that `lq-fda models` lists.")] = "resnet18",
    classes: Annotated[int, typer.Option(help="Outputs.")] = 10,
    image_size: Annotated[int, typer.Option(help="Height and width of the input.")] = 32,
    rounds: Annotated[int, typer.Option(help="Runs of every file that count.")] = 200,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what each part of the block costs on the device: conversion time, bytes, latency; nothing is trained.

    Example: lq-fda costs resnet18 --output results/part_costs.jsonl
    """
    part_costs = lq_fda.part_costs
    with progress_bar() as progress:
        found = part_costs.measure_part_costs(
            model,
            input_shape=(image_size, image_size, 3),
            classes=classes,
            protocol=lq_fda.benchmarking.Protocol(rounds=rounds),
            progress=progress,
        )
    if as_json:
        print_json([cost.model_dump(mode="json") for cost in found])
    else:
        rich.print(part_costs.part_cost_table(found))
    append_records(output, found)


def peers(
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NETWORK[@SIZE]]...", help="Names that `lq-fda models` lists, with the input's size."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of every runtime.")] = 1,
    rounds: Annotated[int, typer.Option(help="Runs of every file that count.")] = 100,
    profile: Annotated[bool, typer.Option("--profile", help="Also show where the 1-bit network's time goes.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time 1-bit networks against LCE's interpreter and their int8 and float twins, in one run; nothing is trained.

    Example: lq-fda peers resnet18 resnet18_imagenet@224 mobile@224 --output results/peers.jsonl
    """
    measured = lq_fda.peers
    found = []
    for network in networks or ["resnet18"]:
        name, _, size = network.partition("@")
        if not (size or "32").isdecimal():
            raise LqFdaError(
                f"Expected a network such as resnet18 or mobile@224. Received: {network!r}.", cure="Write a number."
            )
        with progress_bar() as progress:
            result = measured.measure_peers(
                name,
                size=int(size or 32),
                threads=threads,
                protocol=lq_fda.benchmarking.Protocol(rounds=rounds),
                profile=profile,
                progress=progress,
            )
        found += result.records
        if not as_json:
            rich.print(lq_fda.results.peer_table(result.records))
            if profile:
                rich.print(measured.profile_table(result))
    if as_json:
        print_json([record.model_dump(mode="json") for record in found])
    append_records(output, found)
