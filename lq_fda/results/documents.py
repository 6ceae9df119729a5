"""Tables inside Markdown documents, each between two marks of its name."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.table import Table

from lq_fda.artifacts import PeerRecord, RunRecord, TrainingSpeed, read_json, read_records, write_atomic
from lq_fda.errors import LqFdaError
from lq_fda.results.tables import (
    ablation_table,
    accuracy_table,
    breadth_table,
    peer_table,
    rows,
    runs_of,
    speed_table,
    trial_table,
)


def _runs(folder: Path, study: str) -> list[RunRecord]:
    return runs_of(study, read_records(folder / "runs.jsonl", RunRecord))


def _behind(folder: Path, base_study: str, base: str, study: str) -> list[RunRecord]:
    """The runs of a study, behind the one that they change."""
    return [*(run for run in _runs(folder, base_study) if run.name == base), *_runs(folder, study)]


DOCUMENT_TABLES: dict[str, Callable[[Path], Table]] = {
    "peers": lambda folder: peer_table(list(read_records(folder / "peers.jsonl", PeerRecord))),
    "ablation": lambda folder: ablation_table(_runs(folder, "ablation")),
    "accuracy": lambda folder: accuracy_table(_runs(folder, "long"), read_json(folder / "published.json")),
    "learning rate": lambda folder: trial_table(_runs(folder, "learning rate")),
    "improvement": lambda folder: trial_table(_behind(folder, "ablation", "all_seed0", "improvement")),
    "long ablation": lambda folder: trial_table(_behind(folder, "long", "resnet20", "long ablation")),
    "breadth": lambda folder: breadth_table(_runs(folder, "breadth")),
    "training speed": lambda folder: speed_table(list(read_records(folder / "training_speed.jsonl", TrainingSpeed))),
}
"""By the name in the marks: a table from the folder with the records."""

_MARKED = re.compile(r"<!-- (?P<name>[a-z ]+) -->\n(?P<old>.*?)<!-- /(?P=name) -->", re.DOTALL)
_MARK = re.compile(r"<!-- /?(?P<name>[a-z ]+) -->")


def fill(document: Path, folder: Path) -> bool:
    """Writes every marked table of a document anew.

    Args:
        document: Markdown, with lines `<!-- NAME -->` and `<!-- /NAME -->` for names in `DOCUMENT_TABLES`.
        folder: Of the records.

    Returns:
        Whether that changed anything.

    Raises:
        LqFdaError: The document cannot be read or written, has no marks, an unknown one or one that stands
            alone, or records are damaged or cannot be compared.
    """
    before, after = _filled(document, folder)
    if before != after:
        write_atomic(document, after)
    return before != after


def disagreeing(documents: Iterable[Path], folder: Path) -> list[Path]:
    """The documents whose tables are not what the records say.

    Raises:
        LqFdaError: As `fill`.
    """
    return [document for document in documents if len(set(_filled(document, folder))) > 1]


def _filled(document: Path, folder: Path) -> tuple[str, str]:
    try:
        before = document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LqFdaError(
            f"The document cannot be read. Expected a Markdown file in UTF-8. Received: {str(document)!r} ({error}).",
            cure="Check the path.",
        ) from error
    names = [found["name"] for found in _MARKED.finditer(before)]
    unknown = [name for name in names if name not in DOCUMENT_TABLES]
    if unknown or not names:
        received = f"{unknown[0]!r} in" if unknown else "no marks in"
        raise LqFdaError(
            f"The document has no place for a table that there is. Expected marks with one of "
            f"{', '.join(DOCUMENT_TABLES)}. Received: {received} {str(document)!r}.",
            cure="Write the lines `<!-- ablation -->` and `<!-- /ablation -->` where the table belongs.",
        )
    alone = [mark[0] for mark in _MARK.finditer(_MARKED.sub("", before)) if mark["name"] in DOCUMENT_TABLES]
    if alone:
        raise LqFdaError(
            f"A mark stands alone: its table would never change. Expected each of `<!-- NAME -->` and `<!-- /NAME -->` "
            f"with the other. Received: {alone[0]!r} in {str(document)!r}.",
            cure="Write the mark that is missing on a line of its own.",
        )
    return before, _MARKED.sub(lambda found: _block(found["name"], DOCUMENT_TABLES[found["name"]](folder)), before)


def _block(name: str, table: Table) -> str:
    return f"<!-- {name} -->\n{markdown(table)}<!-- /{name} -->"


def markdown(table: Table) -> str:
    """A table in GitHub's Markdown, its caption under it."""
    rules = ("---:" if column.justify == "right" else "---" for column in table.columns)
    headers = (str(column.header) for column in table.columns)
    lines = (headers, rules, *(row.values() for row in rows(table)))
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return f"{text}\n{table.caption}\n" if table.caption else text
