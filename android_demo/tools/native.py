"""Builds liblq_fda_delegate.so for every ABI, without the NDK, and checks it.

python android_demo/tools/native.py --output DIR                   # DIR/arm64-v8a/liblq_fda_delegate.so, ...
python android_demo/tools/native.py --output DIR --abi x86_64

Needs Maven, a JDK and what `versions.py requirements` lists for pip. The C++ sources, the flags and the list of files
are those of runtime/src/main/cpp/CMakeLists.txt, which the NDK builds as well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

import bionic
import checks
import elf
import jdk
import kit
import lock
import maven
import versions
import zig
from abis import ABIS, Abi
from commands import ToolError, run

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent / "runtime" / "src" / "main" / "cpp"
BUILD = HERE.parent / "build" / "native"


def build(output: Path, *, abis: Iterable[str] | None = None, work: Path = BUILD) -> dict[str, Path]:
    """Builds and checks the libraries.

    Args:
        output: Each goes to a folder of its ABI's name in it, as an APK and `jniLibs` have them.
        abis: Which; all of gradle/libs.versions.toml if not given.
        work: Where intermediate files go.

    Returns:
        Of every ABI: its library.

    Raises:
        ToolError: Something that the build needs is missing, a library is not fit for an app, or another build runs.
    """
    built = {}
    with lock.alone(work):
        for name in abis or versions.abis():
            if name not in ABIS:
                raise ToolError(f"There is no such ABI. Expected one of {', '.join(ABIS)}. Received: {name!r}.")
            made = _build(ABIS[name], work / name, names := bionic_names(name, work))
            built[name] = output / name / checks.NAME
            built[name].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, built[name])
            checks.require(built[name], name, names)
    return built


def bionic_names(abi: str, work: Path = BUILD) -> dict[str, frozenset[str]]:
    """Of every library of Android: the names that may be used; by what TFLite's library of the ABI asks for."""
    return bionic.names(elf.read(tflite_library(abi, work)))


def tflite_library(abi: str, work: Path = BUILD) -> Path:
    """The official TFLite library."""
    target = work / "tflite" / abi / "libtensorflowlite_jni.so"
    return maven.unpack(maven.tensorflow_lite(work / "maven"), f"jni/{abi}/{target.name}", target)


def _build(abi: Abi, work: Path, names: Mapping[str, Set[str]]) -> Path:
    parts = kit.make(abi, names, work / "kit")
    headers = [zig.headers(), HERE / "sysroot", *jdk.headers()]
    cmake, folder = tool("cmake"), work / "cmake"
    toolchain = HERE / "zig-android.cmake"
    arguments = [
        *("-G", "Ninja", "-S", SOURCES, "-B", folder),
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DLQ_FDA_WERROR=ON",
        f"-DLQ_FDA_ZIG={zig.program()}",
        f"-DLQ_FDA_HEADERS={';'.join(map(str, headers))}",
        f"-DLQ_FDA_TRIPLE={kit.triple(abi)}",
        f"-DLQ_FDA_FLAGS={';'.join(abi.flags)}",
        f"-DLQ_FDA_KIT={parts}",
    ]
    doing = f"building the library for {abi.name}"
    # CMake looks at a compiler once; what would make it look again is written down beside its cache.
    stamp, wanted = folder / "arguments.txt", "\n".join(map(str, arguments)) + toolchain.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
    run([cmake, *arguments], doing=doing)
    stamp.write_text(wanted, encoding="utf-8")
    made = folder / "delegate" / checks.NAME
    made.unlink(missing_ok=True)  # The stubs may be others than those that it was linked with.
    run([cmake, "--build", folder, "--target", "lq_fda_delegate"], doing=doing)
    tables = {path.name.split(".")[0].removeprefix("table_") for path in folder.rglob("table_*.cc.o")}
    if tables != set(abi.isas):
        raise ToolError(f"The kernels for {abi.name} are for {sorted(tables)}; write that into abis.py.")
    return made


def tool(name: str) -> str:
    """A program of this Python's environment, or of the system.

    Raises:
        ToolError: It is missing.
    """
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join([str(beside), os.environ.get("PATH", os.defpath)]))
    if not found:
        raise ToolError(f"{name} is missing. Install it: {sys.executable} -m pip install {name}.")
    return found


def describe(path: Path, abi: str) -> str:
    """A line for the build's output."""
    library = elf.read(path)
    return (
        f"{abi:<12} {path.stat().st_size:>7} bytes, kernels {', '.join(ABIS[abi].isas)}; aligned to "
        f"{min(load.alignment for load in library.loads)}, needs {', '.join(library.needed)}, "
        f"{len(library.imports)} imports, all known"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="where the ABIs' folders go")
    parser.add_argument("--abi", action="append", help="an ABI to build for; all, if not given")
    arguments = parser.parse_args()
    try:
        for abi, path in build(arguments.output, abis=arguments.abi).items():
            print(describe(path, abi))
    except ToolError as error:
        sys.exit(f"native.py: {error}")


if __name__ == "__main__":
    main()
