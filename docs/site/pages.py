"""Pages of the site whose text stands elsewhere: the parts' READMEs, the commands' help, the docstrings."""

import importlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import lq_fda_runtime
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

import lq_fda
from lq_fda.cli import app
from lq_fda.cli.quiet import silence_native_code

ROOT = Path(__file__).resolve().parents[2]
READMES = {
    "runtime.md": "export/runtime/README.md",
    "raspberry_pi.md": "export/raspberry_pi/README.md",
    "android.md": "android_demo/README.md",
    "notebooks.md": "notebooks/README.md",
}
# Modules by page, without the runtime, which finds its names when they are asked for.
REFERENCE = {name: [f"lq_fda.{name}"] for name in lq_fda.__all__ if name not in ("__version__", "keras")}
REFERENCE["lq_fda"] = ["lq_fda"]
REFERENCE["benchmarking"].append("lq_fda.benchmarking.devices")
REFERENCE["layers"].append("lq_fda.layers.cousins")


def on_startup(**_: object) -> None:
    """Called by MkDocs first of all: what TensorFlow's native code writes is no warning of the build."""
    silence_native_code()


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Called by MkDocs when it has listed docs/."""
    pages = {page: readme(path) for page, path in READMES.items()}
    pages["commands.md"] = commands()
    pages["recipes.md"] = recipes()
    for name, modules in REFERENCE.items():
        pages[f"reference/{name}.md"] = "\n\n".join(map(reference, modules))
    pages["reference/lq_fda_runtime.md"] = "# lq_fda_runtime\n\n" + named(lq_fda_runtime, lq_fda_runtime.__all__)
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))


def readme(path: str) -> str:
    """A README as a page: links to other pages stay links, and what the site does not have becomes plain text."""
    by_path = {source: page for page, source in READMES.items()}

    def link(match: re.Match) -> str:
        mark, text, target = match.groups()
        if target.startswith(("https:", "#")):
            return match[0]
        source = os.path.normpath(Path(path).parent / target)
        page = by_path.get(source) or (source.removeprefix("docs/") if source.startswith("docs/") else None)
        return f"{mark}[{text}]({page})" if page else text

    return re.sub(r"(!?)\[([^]]*)\]\(([^)]+)\)", link, (ROOT / path).read_text(encoding="utf-8"))


def commands() -> str:
    """Every command with its options, from what `--help` is made of."""
    command = typer.main.get_command(app)
    # What `typer ... utils docs` writes.
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="lq-fda", title="Commands")
    # A list of them, cut at the width of a terminal: the table of contents has them in whole.
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", text)
    return re.sub(r"^Example: (lq-fda .*(?:\n.+)*)$", _example, text, flags=re.MULTILINE)


def _example(match: re.Match) -> str:
    return "```console\n{}\n```".format(match[1].replace("\n", " \\\n    "))


def recipes() -> str:
    """Every recipe with its lab note."""
    names = lq_fda.training.recipe_names()
    return "# Recipes\n\n" + "\n\n".join(f"## {name}\n\n{lq_fda.training.recipe_note(name)}" for name in names)


def reference(name: str) -> str:
    """A module's public names. Griffe takes a function that is named as its file, such as `report`, for that file."""
    module = importlib.import_module(name)
    hidden = [each for each in module.__all__ if getattr(getattr(module, each), "__module__", "") == f"{name}.{each}"]
    return f"# {name}\n\n::: {name}\n\n{named(module, hidden)}"


def named(module: ModuleType, names: Iterable[str]) -> str:
    """Names of a module, each where it is defined."""
    found = [getattr(module, name) for name in names if name != "__version__"]
    return "\n\n".join(
        f"::: {each.__module__}.{each.__qualname__}\n    options:\n      show_root_toc_entry: true\n"
        "      show_root_heading: true\n      show_root_full_path: false"
        for each in found
    )
