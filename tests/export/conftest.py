"""The runtime's package as it lies in the repository, with a library built for the session: a wheel that is installed
may be older.

`LQ_FDA_DELEGATE_LIBRARY=... pytest tests/export` tests a library that is there already.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "export" / "runtime"
VARIABLE = "LQ_FDA_DELEGATE_LIBRARY"
sys.path.insert(0, str(RUNTIME))


def build_library(folder: Path) -> Path:
    """With the machine's tools, or, where it lacks one, with those that pip fetches."""
    if all(map(shutil.which, ("cmake", "ninja", "c++"))):
        for command in (
            ["cmake", "-S", RUNTIME, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
            ["cmake", "--build", folder],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    else:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, RUNTIME]
        subprocess.run(pip, check=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            shutil.copy(archive.extract("lq_fda_runtime/liblq_fda_delegate.so", folder), folder)
    return folder / "liblq_fda_delegate.so"


@pytest.fixture(scope="session", autouse=True)
def library(tmp_path_factory) -> Path:
    """The delegate; every test of this folder uses it."""
    if VARIABLE in os.environ:
        yield Path(os.environ[VARIABLE])
        return
    os.environ[VARIABLE] = str(build_library(tmp_path_factory.mktemp("library")))
    yield Path(os.environ[VARIABLE])
    del os.environ[VARIABLE]


@pytest.fixture(scope="session")
def surroundings(library) -> dict[str, str]:
    """The environment in which a child process finds the package and the library."""
    return {"PYTHONPATH": str(RUNTIME), VARIABLE: str(library), "PATH": os.defpath}


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
