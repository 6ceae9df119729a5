"""What an analysis leaves behind: its record, its figures, and a text that says what to try."""

import itertools
import textwrap
from pathlib import Path

from lq_fda.artifacts import Analysis, Finding, write_atomic, write_json
from lq_fda.reporting.analysis_plots import figures


def write_analysis(found: Analysis, folder: Path) -> list[Path]:
    """Writes `analysis.json`, `summary.txt` and the figures.

    Args:
        found: What `lq_fda.analysis.analyze` returned.
        folder: Where to; files of an earlier analysis are replaced, other files stay.

    Returns:
        The paths: the record last, when everything else is there.

    Raises:
        LqFdaError: The folder cannot be written.
    """
    contents = {**figures(found), "summary.txt": analysis_summary(found) + "\n"}
    for name, content in contents.items():
        write_atomic(folder / name, content)
    write_json(folder / "analysis.json", found.model_dump(mode="json"))
    return [folder / name for name in (*contents, "analysis.json")]


def analysis_summary(found: Analysis) -> str:
    """The worst layers of the first run, what stands out there, and what to try: plain text.

    Args:
        found: What `lq_fda.analysis.analyze` returned.
    """
    first = found.runs[0]
    opening = (
        f"{first.name}: {first.network}, epoch {first.best_epoch} of {first.planned}, validation "
        f"{first.validation_accuracy:.2%}. The layers that keep the least (the share of the output that survives the "
        "signs, times the share of the values that get a gradient; a normal distribution keeps 28%):"
    )
    paragraphs = [textwrap.fill(opening, 100), *(_finding(*item) for item in enumerate(found.findings, 1))]
    paragraphs += [textwrap.fill(note, 100) for note in _notes(found)]
    return "\n\n".join(paragraphs)


def _finding(number: int, finding: Finding) -> str:
    lines = [
        f"{number}. {finding.layer} keeps {finding.forward * finding.backward:.0%} "
        f"(forward {finding.forward:.0%}, backward {finding.backward:.0%})"
    ]
    for attempt, remarks in itertools.groupby(finding.remarks, lambda remark: remark.attempt):
        lines += [_indented(remark.observation, "   - ") for remark in remarks]
        lines.append(_indented(f"Try: {attempt}", "     "))
    return "\n".join(lines)


def _indented(text: str, opening: str) -> str:
    return textwrap.fill(text, 100, initial_indent=opening, subsequent_indent="     ")


def _notes(found: Analysis) -> list[str]:
    runs = found.runs
    notes = [
        f"{run.name} has trained {run.epochs} of {run.planned} epochs: this is how it stands now."
        for run in runs
        if run.epochs < run.planned
    ]
    without_flips = [run.name for run in runs if run.binarized and not run.has("flip_rate")]
    if without_flips:
        notes.append(
            f"Without flip rates, for the version that trained them did not measure any: {', '.join(without_flips)}."
        )
    twins = [run.name for run in runs if not run.binarized]
    if twins:
        notes.append(
            f"Float twins, measured where the others take signs: {', '.join(twins)}. A ReLU leaves nothing below zero, "
            "so that a sign behind it would be +1 everywhere; a binarized block has none there."
        )
    return notes
