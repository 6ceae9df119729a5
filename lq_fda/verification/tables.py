"""A verification for people to read."""

from rich.console import Group
from rich.markup import escape
from rich.table import Column, Table

from lq_fda.artifacts import Verification


def tables(found: Verification) -> Group:
    """What was compared and which gates hold, as rich tables.

    Args:
        found: What `verify` returned.
    """
    return Group(_files(found), _layers(found), _accuracy(found), _gates(found))


def _files(found: Verification) -> Table:
    table = Table(Column("file", no_wrap=True), "against", title="Outputs; differences of logits, of their rms")
    for column in ("images", "top-1", "largest", "median"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in found.files:
        numbers = (f"{row.agreement:.2%}", f"{row.relative_difference:.1e}", f"{row.typical_difference:.1e}")
        table.add_row(row.file, row.reference, str(row.images), *numbers)
    return table


def _layers(found: Verification) -> Table:
    first = found.first_difference
    title = f"Signs; the first layer that differs: {first.name}" if first else "Signs: all agree"
    table = Table(Column("layer", no_wrap=True), "signs", "differing", "begin here", "farthest from zero", title=title)
    for row in found.layers:
        margin = f"{row.margin:.1e} of rms" if row.first_differing else "-"
        shown = ("bitpacked", "-", "-", "-") if not row.signs else None
        table.add_row(
            escape(row.name), *(shown or (f"{row.signs:,}", f"{row.differing:,}", f"{row.first_differing:,}", margin))
        )
    return table


def _accuracy(found: Verification) -> Table:
    table = Table("what", "top-1", "test images", title="Accuracy on the whole test split")
    for name, row in found.accuracy.items():
        table.add_row(name, f"{row.top1:.2%}", f"{row.images:,}")
    return table


def _gates(found: Verification) -> Table:
    table = Table("gate", "found", "expected", "", title="Gates: " + ("all hold" if found.passed else "FAILED"))
    for gate in found.gates:
        verdict = "[green]pass[/]" if gate.passed else f"[red]fail[/] {escape(gate.why)}"
        table.add_row(gate.name, gate.found, gate.condition, verdict)
    return table
