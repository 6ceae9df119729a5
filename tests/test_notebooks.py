"""The notebooks as they are committed; `make notebooks` runs them."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

import lq_fda

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path):
    return "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")


def test_they_are_numbered_and_listed():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]
    listed = re.findall(r"\]\((\w+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@every_notebook
def test_outputs_are_stripped_and_any_kernel_fits(path):
    assert json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"] == KERNEL
    for cell in cells(path):
        stripped = cell["cell_type"] == "markdown" or (not cell["outputs"] and cell["execution_count"] is None)
        assert stripped, f"jupyter nbconvert --clear-output --inplace {path.relative_to(FOLDER.parent)}"


@every_notebook
def test_it_begins_with_words_and_no_three_steps_go_without(path):
    kinds = [cell["cell_type"] for cell in cells(path)]
    assert kinds[0] == "markdown"
    assert "code code code" not in " ".join(kinds)


@every_notebook
def test_only_public_names_are_used(path):
    for node in ast.walk(ast.parse(code(path))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("lq_fda", "lq_fda_runtime"):
            public = importlib.import_module(node.module).__all__
            assert {alias.name for alias in node.names} <= set(public)
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("lq_fda.") for alias in node.names)
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id in lq_fda.__all__:
                module = getattr(lq_fda, node.value.id)
                assert node.attr in getattr(module, "__all__", dir(module))
