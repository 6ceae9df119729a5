"""Writes README's measured tables from the records beside this file: `python results/update_readme.py [--check]`."""

import json
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"

Record = dict[str, Any]


def peers(records: list[Record]) -> Iterator[str]:
    """The newest run of each network: 1-bit in every runtime, as ratios to int8 and to LCE."""
    yield "| network | form | runtime | median ms | p90 | x int8 | x LCE |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: |"
    newest = {(record["model"], tuple(record["input_shape"])): record["run"] for record in records}
    for (model, shape), run in newest.items():
        rows = [record for record in records if record["run"] == run]
        int8, lce = (
            next(row["median_ms"] for row in rows if name in (row["form"], row["runtime"])) for name in ("int8", "lce")
        )
        for row in rows:
            isa = row["settings"].get("isa")
            unfused = "" if row["settings"].get("fuse", True) else ", unfused"
            figures = (row["median_ms"], row["p90_ms"], row["median_ms"] / int8, row["median_ms"] / lce)
            cells = (
                f"{model}, {shape[1]}x{shape[2]}",
                row["form"],
                f"{row['runtime']}, {isa}{unfused}" if isa else row["runtime"],
                *(f"{figure:.3f}" for figure in figures),
            )
            yield f"| {' | '.join(cells)} |"
    first = next(record for record in records if record["run"] in newest.values())
    environment, versions = first["environment"], first["environment"]["versions"]
    yield ""
    yield (
        f"{environment['cpu']}, {environment['cores']} cores; one thread; {first['date'][:10]}; LCE "
        f"{versions['larq-compute-engine']} at its best settings, LiteRT {versions['ai-edge-litert']}; "
        f"{first['rounds']} interleaved rounds after {first['warmups']} warm-ups, each timed run behind "
        f"{first['settle']} of the same file; `make bench`."
    )


def ablation(records: list[Record]) -> Iterator[str]:
    """Mean and spread over the seeds of every choice of parts, at one budget."""
    records = [record for record in records if record["study"] == "ablation"]
    variants: dict[str, list[Record]] = {}
    for record in records:
        variants.setdefault(record["name"].rpartition("_seed")[0], []).append(record)
    means = {name: statistics.mean(_tests(runs)) for name, runs in variants.items()}
    yield "| block | parts | seeds | validation % | test % | over plain |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for name, runs in variants.items():
        model, tests = runs[0]["recipe"]["model"], _tests(runs)
        validation = statistics.mean(100 * run["result"]["validation"]["top1"] for run in runs)
        spread = f" +- {statistics.stdev(tests):.2f}" if len(tests) > 1 else ""
        cells = (
            name.replace("_", " "),
            (", ".join(model["parts"]) or "-").replace("_", " ") if model["binarized"] else "-",
            str(len(tests)),
            f"{validation:.2f}",
            f"{means[name]:.2f}{spread}",
            f"{means[name] - means['plain']:+.2f}",
        )
        yield f"| {' | '.join(cells)} |"
    recipe = records[0]["recipe"]
    yield ""
    yield (
        f"{recipe['model']['name']} on {recipe['data']['name']}, {recipe['epochs']} epochs, {recipe['optimizer']}, "
        f"learning rate {recipe['learning_rate']}, {recipe['precision']}; +- is the standard deviation over the seeds; "
        "the epoch is chosen on validation."
    )


def accuracy(records: list[Record]) -> Iterator[str]:
    """The long runs, and under them what is published for the same networks."""
    published = json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))
    yield "| network | method | epochs | 1-bit % | float % | gap | chosen on |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    for network in ("resnet20", "resnet18"):
        runs = [run for run in records if run["study"] == "long" and run["recipe"]["model"]["name"] == network]
        tests = {
            (run["recipe"]["epochs"], run["recipe"]["model"]["binarized"]): 100 * run["result"]["test"]["top1"]
            for run in runs
        }
        pairs = sorted(epochs for epochs, binarized in tests if binarized and (epochs, False) in tests)
        for epochs in pairs:
            ours, twin = tests[epochs, True], tests[epochs, False]
            yield f"| {network} | **lq_fda** | {epochs} | {ours:.2f} | {twin:.2f} | {twin - ours:.2f} | validation |"
        if not pairs:
            yield f"| {network} | **lq_fda** | not yet run | | | | |"
        for row in published["figures"]:
            if row["network"] == network:
                figures = (f"{row['top1']}", f"{row['float']}", f"{row['float'] - row['top1']:.1f}")
                yield f"| {network} | {row['method']} | >= 400 | {' | '.join(figures)} | test |"
    yield ""
    yield f"Published figures: {published['protocol']}. Our budget is far smaller, and the test split is read once."


def _tests(runs: list[Record]) -> list[float]:
    return [100 * run["result"]["test"]["top1"] for run in runs]


TABLES: dict[str, tuple[str, Callable[[list[Record]], Iterator[str]]]] = {
    "peers": ("peers.jsonl", peers),
    "ablation": ("runs.jsonl", ablation),
    "accuracy": ("runs.jsonl", accuracy),
}


def rendered(text: str) -> str:
    """README with every table between its marks made anew."""
    for name, (file, table) in TABLES.items():
        records = [json.loads(line) for line in (FOLDER / file).read_text(encoding="utf-8").splitlines()]
        block = f"<!-- {name} -->\n{chr(10).join(table(records))}\n<!-- /{name} -->"
        text, count = re.subn(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, new=block: new, text, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"README.md has {count} places for the table {name!r}. Expected one.")
    return text


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = rendered(before)
    if "--check" in sys.argv[1:] and before != after:
        sys.exit("README.md and the records in results/ disagree. Run `make tables`.")
    if before != after:
        README.write_text(after, encoding="utf-8")
