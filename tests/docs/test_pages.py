"""What the documents tell people to type works."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from lq_fda_runtime.cli import parser as runtime_parser
from PIL import Image

import lq_fda
from lq_fda import training
from lq_fda.cli import app

ROOT = Path(__file__).parents[2]
PARTS = ("docs", "export", "android_demo", "notebooks")
DOCUMENTS = [ROOT / "README.md", *(path for part in PARTS for path in sorted((ROOT / part).rglob("*.md")))]
DOCUMENTS = [path for path in DOCUMENTS if "build" not in path.relative_to(ROOT).parts]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def prose(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", prose(path), re.DOTALL | re.MULTILINE)


def typed(program):
    """The lines that begin with a program, each with its document or recipe."""
    texts = [
        (str(path.relative_to(ROOT)), block) for path in [*DOCUMENTS, *NOTEBOOKS] for block in blocks(path, "console")
    ]
    texts += [(name, training.recipe_note(name)) for name in training.recipe_names()]
    for name, text in texts:
        for line in re.findall(rf"^ *({program} .*)", text.replace("\\\n", " "), re.MULTILINE):
            words = shlex.split(line, comments=True)
            yield pytest.param(words[1:], id=f"{name}: {' '.join(words[1:3])}")


def pages():
    for path in DOCUMENTS:
        if blocks(path, "python"):
            yield pytest.param(path, id=str(path.relative_to(ROOT)))


@pytest.mark.slow
@pytest.mark.parametrize("page", pages())
def test_python_runs(page, tmp_path, monkeypatch):
    """The blocks of a page, one after the other, in a folder with what they take for granted."""
    golden = ROOT / "export" / "golden" / "cifar10_resnet20"
    for name in ("bundle", "bundles/r20"):
        shutil.copytree(golden, tmp_path / name)
    shutil.copy(golden / "model.tflite", tmp_path)
    for name in ("cat.png", "cat.jpg"):
        Image.new("RGB", (60, 40), (200, 120, 20)).save(tmp_path / name)
    demo = lq_fda.training.apply_overrides(lq_fda.training.digits_demo(), ["epochs=1"])
    monkeypatch.setattr(lq_fda.training, "digits_demo", lambda: demo)
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for number, block in enumerate(blocks(page, "python")):
        exec(compile(block, f"{page.name}, block {number}", "exec"), namespace)


@pytest.mark.parametrize("words", typed("lq-fda"))
def test_commands_are_understood(words):
    group = typer.main.get_command(app)
    name, *arguments = words
    assert name in group.commands
    given = group.commands[name].make_context(name, arguments).params
    recipe = given.get("recipe") or "digits_demo"
    if not recipe.endswith(".json"):
        training.apply_overrides(training.get_recipe(recipe), given.get("override") or [])


@pytest.mark.parametrize("words", typed("lq-fda-runtime"))
def test_commands_of_the_runtime_are_understood(words):
    runtime_parser().parse_args(words)


@pytest.mark.parametrize("words", typed("make"))
def test_targets_exist(words):
    target = next(word for word in words if "=" not in word)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
