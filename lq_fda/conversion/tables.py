"""A conversion report for people."""

from rich.console import Group
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from lq_fda.artifacts import ConversionReport


def layer_table(found: ConversionReport) -> Group:
    """One row a layer that should be binary, and the remarks on the whole.

    Args:
        found: What `report` gave, or a manifest's `conversion`.
    """
    table = Table(Column("layer", no_wrap=True), "became", "output", title="Binary layers in the file")
    for column in ("MACs", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("fused")
    table.add_column("note")
    for layer in found.layers:
        table.add_row(
            escape(layer.name),
            layer.operator if layer.binary else f"[red]{layer.operator}[/]",
            layer.output,
            f"{layer.macs:,}",
            f"{layer.weight_bytes:,}",
            ", ".join(layer.fused),
            escape(layer.note),
        )
    operators = ", ".join(f"{count} {name}" for name, count in sorted(found.operators.items()))
    return Group(table, Text(f"Operators: {operators}"), *(Text(note) for note in found.notes))
