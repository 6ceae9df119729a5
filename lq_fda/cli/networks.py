"""Commands about networks as such."""

from typing import Annotated

import rich
import typer
from rich.markup import escape
from rich.table import Table

import lq_fda
from lq_fda.cli.options import Json, print_json


def models(as_json: Json = False) -> None:
    """List the networks.

    Example: lq-fda models
    """
    described = {name: lq_fda.models.describe(name) for name in lq_fda.models.names()}
    if as_json:
        print_json(described)
        return
    table = Table("model", "what it is", title="Networks")
    for name, text in described.items():
        table.add_row(name, escape(text))
    rich.print(table)


def summary(
    model: Annotated[str, typer.Argument(help="A name that `lq-fda models` lists.")],
    classes: Annotated[int, typer.Option(help="Outputs.")] = 10,
    image_size: Annotated[int, typer.Option(help="Height and width of the input.")] = 32,
    float_twin: Annotated[bool, typer.Option("--float-twin", help="Show the float twin instead.")] = False,
    as_json: Json = False,
) -> None:
    """Show a network layer by layer: 1-bit and 32-bit parameters and multiply-accumulates.

    Example: lq-fda summary resnet20 --classes 100
    """
    shape = (image_size, image_size, 3)
    network = lq_fda.models.create(model, classes=classes, input_shape=shape, binarized=not float_twin)
    if as_json:
        print_json(lq_fda.models.profile(network))
        return
    lq_fda.models.summary(network)
