"""The wheel: what is in it, and that it builds on a machine without a compiler."""

import importlib.util
import os
import shutil
import subprocess
import sys
import types
import venv
import zipfile
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "export" / "runtime"


@pytest.fixture
def build_support(monkeypatch):
    """The build backend's modules, on a stand-in for scikit-build-core, which only builds have."""
    package, module = types.ModuleType("scikit_build_core"), types.ModuleType("scikit_build_core.build")
    package.build = module
    for name in ("build_sdist", "prepare_metadata_for_build_wheel", "prepare_metadata_for_build_editable"):
        setattr(module, name, None)
    for kind in ("sdist", "wheel", "editable"):
        setattr(module, f"get_requires_for_build_{kind}", lambda config_settings=None: ["cmake"])
    module.build_wheel = lambda folder, settings, metadata: settings
    monkeypatch.setitem(sys.modules, "scikit_build_core", package)
    monkeypatch.setitem(sys.modules, "scikit_build_core.build", module)
    monkeypatch.syspath_prepend(str(RUNTIME / "build_support"))
    for name in ("targets", "dependencies", "backend"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for variable in ("CXX", "LQ_FDA_TARGET", "LQ_FDA_COMPILER"):
        monkeypatch.delenv(variable, raising=False)
    yield lambda name: importlib.import_module(name)
    for name in ("targets", "dependencies", "backend"):
        sys.modules.pop(name, None)


def test_a_machine_without_a_compiler_gets_one_from_pypi(build_support, monkeypatch, tmp_path):
    backend = build_support("backend")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert backend.get_requires_for_build_wheel() == ["cmake", "ziglang>=0.13,<0.18"]


def test_a_broken_compiler_counts_as_none(build_support, monkeypatch, tmp_path):
    backend = build_support("backend")
    (tmp_path / "c++").write_text("#!/bin/false\n")
    (tmp_path / "c++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert backend.machine_compiler() is None


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_a_machine_with_a_compiler_downloads_none(build_support):
    backend = build_support("backend")
    assert backend.get_requires_for_build_wheel() == ["cmake"]
    assert "cmake.toolchain-file" not in backend.build_wheel("x")


def test_a_target_is_built_by_zig_whatever_the_machine_has(build_support, monkeypatch):
    backend = build_support("backend")
    monkeypatch.setitem(sys.modules, "ziglang", types.ModuleType("ziglang"))
    sys.modules["ziglang"].__file__ = "/there/ziglang/__init__.py"
    monkeypatch.setenv("LQ_FDA_TARGET", "armv7l")
    settings = backend.build_wheel("x")
    assert settings["wheel.tags"] == ["py3-none-manylinux_2_17_armv7l", "py3-none-manylinux2014_armv7l"]
    assert settings["cmake.define.LQ_FDA_ZIG_TARGET"] == "arm-linux-gnueabihf.2.17"
    assert settings["cmake.define.LQ_FDA_ZIG"] == "/there/ziglang/zig"
    monkeypatch.setenv("LQ_FDA_TARGET", "vax")
    with pytest.raises(ValueError, match="LQ_FDA_TARGET='vax'"):
        backend.build_wheel("x")


def test_a_32_bit_system_on_a_64_bit_kernel_is_32_bit(build_support, monkeypatch):
    targets, dependencies = build_support("targets"), build_support("dependencies")
    monkeypatch.setattr(targets.platform, "machine", lambda: "aarch64")
    assert "ai-edge-litert" in str(dependencies.dynamic_metadata({}, {}))
    monkeypatch.setattr(targets.struct, "calcsize", lambda form: 4)
    assert targets.chosen() == "armv7l"
    required = dependencies.dynamic_metadata({}, {})["dependencies"]
    assert "tflite-runtime>=2.14,<3" in required and "ai-edge-litert" not in str(required)


def test_nothing_heavy_is_required(build_support):
    dependencies = build_support("dependencies")
    names = {item.partition(">")[0] for item in dependencies.dynamic_metadata({}, {})["dependencies"]}
    assert names == {"numpy", "ai-edge-litert", "Pillow"}


def test_one_range_of_compilers(build_support):
    assert f'"{build_support("backend")._ZIG}"' in (RUNTIME / "check.sh").read_text()


@pytest.fixture
def script(build_support):
    """A script of the runtime's folder, as a module."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, RUNTIME / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    yield load
    for name in ("release", "matrix"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("faults", [[], ["the library is too large"]])
def test_a_wheel_with_a_fault_is_not_released(script, monkeypatch, tmp_path, faults):
    release = script("release")

    def run(command, **_):
        (Path(command[command.index("--outdir") + 1]) / "new.whl").write_text("new")
        return types.SimpleNamespace(returncode=0)

    monkeypatch.setattr(release.subprocess, "run", run)
    monkeypatch.setattr(release, "check", lambda wheel, name, target: faults)
    (tmp_path / "old.whl").write_text("old")
    assert release.release("aarch64", tmp_path) == [f"new.whl: {fault}" for fault in faults]
    assert {path.name for path in tmp_path.iterdir()} == {"old.whl"} | (set() if faults else {"new.whl"})


def test_the_matrix_has_the_tolerance_of_the_self_test(script):
    from lq_fda_runtime.selftest import TOLERANCES

    assert TOLERANCES["model.tflite"] == script("matrix")._TOLERANCE


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pip_installs_it_where_there_is_no_compiler_and_it_works(intact, tmp_path):
    """What the README promises: `pip install ./export/runtime` with nothing on the PATH but Python."""
    source = shutil.copytree(RUNTIME, tmp_path / "source", ignore=shutil.ignore_patterns("build", "dist"))
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "http"))}
    bare = {**kept, "PATH": str(environment / "bin"), "HOME": str(tmp_path)}
    install = subprocess.run(
        [python, "-m", "pip", "install", source], capture_output=True, text=True, check=False, env=bare
    )
    assert install.returncode == 0, install.stdout + install.stderr
    done = subprocess.run(
        [environment / "bin" / "lq-fda-runtime", "selftest", intact],
        capture_output=True,
        text=True,
        check=False,
        env=bare,
    )
    assert done.returncode == 0 and done.stdout.count("pass") == 3, done.stdout + done.stderr
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True, env=bare).stdout
    assert "lq-fda-runtime" in listed and "tensorflow" not in listed and "pydantic" not in listed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_holds_the_package_and_the_library_alone(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, RUNTIME]
    subprocess.run(pip, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("lq_fda_runtime-0.1.0-py3-none-linux_")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        size = archive.getinfo("lq_fda_runtime/liblq_fda_delegate.so").file_size
    package = {name for name in names if ".dist-info/" not in name}
    modules = {f"lq_fda_runtime/{path.name}" for path in (RUNTIME / "lq_fda_runtime").glob("*.py")}
    assert package == modules | {"lq_fda_runtime/liblq_fda_delegate.so"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert size < 500_000
