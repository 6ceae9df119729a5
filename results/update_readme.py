"""Writes README's measured tables from the records beside this file: `python results/update_readme.py [--check]`."""

import json
import re
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


TABLES: dict[str, Callable[[list[Record]], Iterator[str]]] = {"peers": peers}


def rendered(text: str) -> str:
    """README with every table between its marks made anew."""
    for name, table in TABLES.items():
        records = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
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
