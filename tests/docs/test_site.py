"""The site that `make docs` has built holds every name, command and recipe."""

import html
import importlib
import inspect
import re
import shlex
from pathlib import Path

import lq_fda_runtime
import pytest
import typer
from mkdocstrings import Inventory

import lq_fda
from lq_fda import training
from lq_fda.cli import app

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "docs"
MODULES = [f"lq_fda.{name}" for name in lq_fda.__all__ if name not in ("__version__", "keras")]


@pytest.fixture(scope="module")
def inventory():
    with (SITE / "objects.inv").open("rb") as file:
        return Inventory.parse_sphinx(file)


def anchors(page):
    return set(re.findall(r'<h[1-6] id="([^"]+)"', (SITE / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", [*MODULES, "lq_fda.benchmarking.devices"])
def test_every_public_name_is_in_the_reference(module, inventory):
    public = importlib.import_module(module)
    names = [name for name in public.__all__ if not inspect.ismodule(getattr(public, name))]
    assert names
    for name in names:
        defined = f"{getattr(getattr(public, name), '__module__', module)}.{name}"
        assert f"{module}.{name}" in inventory or defined in inventory, name


def test_every_name_of_the_runtime_is_in_the_reference():
    assert set(lq_fda_runtime.__all__) - {"__version__"} <= {
        anchor.rpartition(".")[2] for anchor in anchors("reference/lq_fda_runtime.html")
    }


def without_tags(source):
    return html.unescape(re.sub(r"<[^>]+>", "", source))


def sections(page):
    """By the anchor of its heading: the page from there to the next heading of that level."""
    _, *parts = re.split(r'<h2 id="([^"]+)"', (SITE / page).read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_options_and_an_example(name):
    section = sections("commands.html")[f"lq-fda-{name}"]
    usage, _, listed = without_tags(section).partition("Options:")
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert re.search(rf"{max(parameter.opts, key=len)}(?![\w-])", listed)
        else:  # Its type is behind it.
            assert re.search(rf"{re.escape(parameter.metavar or parameter.name)}\S* <", usage)
    blocks = [without_tags(block).replace("\\\n", " ") for block in re.findall(r"<pre>.*?</pre>", section, re.DOTALL)]
    examples = [words[2:] for words in map(shlex.split, blocks) if words[:2] == ["lq-fda", name]]
    assert examples
    for arguments in examples:
        COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("name", training.recipe_names())
def test_every_recipe_has_its_lab_note(name):
    shown = "".join(without_tags(sections("recipes.html")[name]).split())
    for line in training.recipe_note(name).splitlines():
        assert "".join(line.replace("`", "").split()) in shown


def test_nothing_is_fetched_from_elsewhere():
    for page in SITE.rglob("*.html"):
        source = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//', source), page.name
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="(?:https?:)?//', source), page.name
