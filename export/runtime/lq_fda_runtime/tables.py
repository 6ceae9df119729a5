"""Results for people, as plain text that fits a terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lq_fda_runtime.benchmark import ratio_to_int8
from lq_fda_runtime.errors import printable
from lq_fda_runtime.report import DelegateReport
from lq_fda_runtime.selftest import Result

_NAMES = {"model.tflite": "1-bit", "int8.tflite": "int8", "float.tflite": "float"}


def latency_table(records: Sequence[Mapping[str, Any]]) -> str:
    """One row a file and thread count; ratios only inside a run; how many operators a delegate took."""
    rows = [("file", "runtime", "threads", "median ms", "p90", "min", "x int8", "lq-fda", "XNNPACK", "of nodes")]
    for record in records:
        ratio = ratio_to_int8(record, records)
        ours = record["settings"].get("lq_fda_nodes", 0)
        rows.append(
            (
                _NAMES.get(record["file"], record["file"]),
                f"{record['runtime']} {record['runtime_version']}",
                str(record["threads"]),
                *(f"{record[name]:.3f}" for name in ("median_ms", "p90_ms", "min_ms")),
                "-" if ratio is None else f"{ratio:.2f}",
                str(ours),
                str(record["delegated_nodes"] - ours),
                str(record["total_nodes"]),
            )
        )
    environment = records[0]["environment"]
    isa = next((record["settings"]["isa"] for record in records if "isa" in record["settings"]), "-")
    load = environment["load_average"][0]
    lines = [
        _columns(rows, left=2),
        "",
        f"Milliseconds an image, copies in and out included; {records[0]['rounds']} interleaved rounds after "
        f"{records[0]['warmups']} warm-ups.",
        f"{environment['board'] or environment['cpu']}; instruction set {isa}; "
        f"{records[0]['settings']['interpreter']}; governor {environment['governor'] or 'unknown'}; load {load:.1f}.",
    ]
    if load > 0.5 * environment["usable_cores"]:
        lines.append("The machine was busy with something else: the ratios hold better than the times.")
    return "\n".join(lines)


def machine_table(found: Mapping[str, Any]) -> str:
    environment = found["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    rows = [
        ("board", environment["board"] or "-"),
        ("processor", f"{environment['cpu']}, {environment['usable_cores']} of {environment['cores']} cores usable"),
        ("system", f"{environment['system']} {environment['release']} {environment['machine']}, "
                   f"{environment['python_bits']}-bit Python"),
        ("governor", environment["governor"] or "unknown"),
        ("instruction sets", f"{', '.join(environment['isas'])} (the first is used)"),
        ("interpreter", found["interpreter"]),
        ("delegate", found["library"]),
        ("versions", versions),
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(
        textwrap.fill(f"{name:<{width}}{value}", 100, subsequent_indent=" " * width, break_on_hyphens=False)
        for name, value in rows
    )


def report_table(report: DelegateReport) -> str:
    """Which operators the delegate took, and why not the others."""
    rows = [("operator", "taken", "there")]
    # A custom operator's name comes from the file.
    rows += [(printable(name), str(taken), str(there)) for name, (taken, there) in report.counts().items()]
    lines = [
        f"The delegate ({report.isa}, {_number(report.threads, 'thread')}) takes {report.taken} of {len(report.nodes)} "
        f"operators, in {_number(report.partitions, 'partition')}; the runtime keeps the rest.",
        "",
        _columns(rows, left=1),
    ]
    refusals = report.refusals()
    if refusals:
        lines += ["", "Not taken, and why:"]
        lines += [
            f"  {count:>3} {printable(name)}: {reason or 'no reason given'}"
            for (name, reason), count in refusals.items()
        ]
    if not any(node.op.startswith("Lce") for node in report.nodes):
        lines += ["", "The model holds no operator of Larq Compute Engine: it runs as in the stock interpreter."]
    timed = [step for step in report.steps if step.runs]
    if timed:
        rows = [("step", "nodes", "runs", "microseconds")]
        rows += [(s.name, str(len(s.nodes)), str(s.runs), f"{s.microseconds:.1f}") for s in timed]
        lines += ["", _columns(rows, left=1)]
    return "\n".join(lines)


def selftest_table(results: Sequence[Result]) -> str:
    rows = [("file", "images", "same top-1", "difference", "tolerance", "")]
    for result in results:
        rows.append(
            (
                result.file,
                str(result.images),
                str(result.same_top1),
                f"{result.difference:.2g}",
                f"{result.tolerance:g}",
                "pass" if result.passed else "FAIL",
            )
        )
    return "\n".join(
        (
            _columns(rows, left=1),
            "",
            "Largest difference from the golden outputs, in units of their root mean square. A float file may",
            "differ by rounding alone. On another machine a value next to zero may take the other sign in a 1-bit",
            "file, and round to the neighbouring step in an int8 file; a broken kernel moves outputs by their size.",
        )
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _columns(rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Aligns columns; the first `left` ones to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if index < left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    )
