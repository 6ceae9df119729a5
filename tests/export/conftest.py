"""The runtime as `make test` installs it; `LQ_FDA_DELEGATE_LIBRARY` names another library to test."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from lq_fda_runtime import library_path

RUNTIME = Path(__file__).resolve().parents[2] / "export" / "runtime"
VARIABLE = "LQ_FDA_DELEGATE_LIBRARY"
sys.path.insert(0, str(Path(__file__).parent / "operators"))  # For lce_files.


@pytest.fixture(scope="session")
def library() -> Path:
    """The delegate."""
    return library_path()


@pytest.fixture(scope="session")
def surroundings(library) -> dict[str, str]:
    """The environment in which a child process finds the library."""
    return {VARIABLE: str(library), "PATH": os.defpath}


@pytest.fixture(scope="session")
def intact(trained) -> Path:
    """The folder of a small bundle; do not write into it."""
    return trained.bundle.path


@pytest.fixture
def bundle(intact, tmp_path) -> Path:
    """A copy to damage."""
    return shutil.copytree(intact, tmp_path / "bundle")


@pytest.fixture(scope="session")
def golden(intact) -> dict[str, np.ndarray]:
    with np.load(intact / "golden.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture
def edit(bundle):
    """Changes a field of the manifest: `edit("preprocessing", "height", to=0)`."""

    def change(*path, to):
        manifest = json.loads((bundle / "manifest.json").read_text())
        table = manifest
        for name in path[:-1]:
            table = table[name]
        table[path[-1]] = to
        (bundle / "manifest.json").write_text(json.dumps(manifest))

    return change


@pytest.fixture
def put(bundle, edit):
    """Replaces a file and writes its hash into the manifest, as someone does who means it."""

    def replace(name, content):
        (bundle / name).write_bytes(content)
        edit("files", name, to={"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)})

    return replace


@pytest.fixture
def shout(capfd):
    """Runs a command in this process; gives its exit code, stdout and stderr."""
    from lq_fda_runtime.cli import main

    def run(*arguments):
        capfd.readouterr()
        code = 0
        try:
            main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code
        out, err = capfd.readouterr()
        # LiteRT announces XNNPACK there, once a process.
        return code, out, "".join(line for line in err.splitlines(keepends=True) if not line.startswith("INFO:"))

    return run
