"""Rules that hold for the whole package."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def python(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_importing_the_package_does_not_import_tensorflow():
    result = python("import sys, lq_fda, lq_fda.artifacts, lq_fda.runtimes; print('tensorflow' in sys.modules)")
    assert result.stdout.strip() == "False", result.stderr


def test_the_public_keras_is_the_one_that_larq_speaks():
    result = python(
        """
        from lq_fda import keras
        import larq
        print(issubclass(larq.layers.QuantConv2D, keras.layers.Layer))
        """
    )
    assert result.stdout.strip() == "True", result.stderr


def test_tensorflow_with_keras_3_first_is_one_clear_error():
    result = python("import tensorflow, lq_fda; lq_fda.models", TF_USE_LEGACY_KERAS="0")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert "Keras 3" in last and "TF_USE_LEGACY_KERAS=1" in last


def test_imports_point_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def examples():
    for path in sorted((ROOT / "lq_fda").rglob("*.py")):
        for number, code in enumerate(re.findall(r"^( *)```python\n(.*?)^ *```", path.read_text(), re.S | re.M)):
            yield pytest.param(textwrap.dedent(code[1]), id=f"{path.relative_to(ROOT / 'lq_fda')}-{number}")


@pytest.mark.parametrize("code", examples())
def test_docstring_examples_run(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<docstring>", "exec"), {"__name__": "docstring"})
