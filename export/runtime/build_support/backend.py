"""The build backend: scikit-build-core, and a compiler from PyPI where the machine has none.

pip install ./export/runtime                      # the machine's compiler, else that of the package `ziglang`
CXX=clang++ pip install ./export/runtime          # a certain compiler
LQ_FDA_COMPILER=zig pip install ./export/runtime  # that of the package, whatever the machine has
LQ_FDA_TARGET=aarch64 pip wheel ./export/runtime  # a wheel to release, by zig; `release.py` makes all of them
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import scikit_build_core.build as skbuild
import targets
from scikit_build_core.build import (  # noqa: F401
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

_ZIG = "ziglang>=0.13,<0.18"  # As in check.sh.
# What the library needs of a compiler: C++17, a shared library, the C library's headers.
_PROBE = """
#include <pthread.h>
#include <stdint.h>
inline constexpr int kNothing = 0;
extern "C" int lq_fda_probe() { return kNothing; }
"""


def get_requires_for_build_wheel(config_settings=None):
    return [*skbuild.get_requires_for_build_wheel(config_settings), *_compiler_requirements()]


def get_requires_for_build_editable(config_settings=None):
    return [*skbuild.get_requires_for_build_editable(config_settings), *_compiler_requirements()]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return skbuild.build_wheel(wheel_directory, _with_compiler(config_settings), metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return skbuild.build_editable(wheel_directory, _with_compiler(config_settings), metadata_directory)


def _compiler_requirements() -> list[str]:
    return [] if machine_compiler() else [_ZIG]


def _with_compiler(config_settings):
    """Adds what scikit-build-core has to know about the compiler and the tags."""
    settings = dict(config_settings or {})
    row = targets.release_target()
    if row is not None:
        settings["wheel.tags"] = row.tags
    compiler = machine_compiler()
    if compiler:
        os.environ["CXX"] = compiler
        return settings
    row = row or targets.TARGETS.get(targets.chosen())
    if row is None:
        raise SystemExit(
            f"There is no C++ compiler, and none on PyPI for this machine. Expected one of {sorted(targets.TARGETS)}. "
            f"Received: machine={targets.chosen()!r}. Install g++ or clang."
        )
    target = row.zig
    if not os.environ.get(targets.VARIABLE) and platform.libc_ver()[0] != "glibc":
        target = target.partition(".")[0].replace("linux-gnu", "linux-musl")
    settings["cmake.toolchain-file"] = str(Path(__file__).parents[1] / "cmake" / "zig.cmake")
    settings["cmake.define.LQ_FDA_ZIG"] = _zig()
    settings["cmake.define.LQ_FDA_ZIG_TARGET"] = target
    if row.cpu:
        settings["cmake.define.LQ_FDA_ZIG_CPU"] = row.cpu
    return settings


def machine_compiler() -> str | None:
    """A C++ compiler of this machine that works, or None if zig is to be used."""
    if os.environ.get(targets.VARIABLE) or os.environ.get("LQ_FDA_COMPILER") == "zig":
        return None
    if os.environ.get("CXX"):
        return os.environ["CXX"]  # The user's choice; if it does not work, CMake says so.
    own = (sysconfig.get_config_var("CXX") or "").split()[:1]
    for name in (*own, "c++", "g++", "clang++"):
        path = shutil.which(name)
        if path and _works(path):
            return path
    return None


def _works(compiler: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cc"
        source.write_text(_PROBE, encoding="utf-8")
        command = [compiler, "-std=c++17", "-fPIC", "-shared", "-o", f"{folder}/probe.so", str(source)]
        try:
            return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _zig() -> str:
    import ziglang

    return str(Path(ziglang.__file__).parent / "zig")
