"""Builds the wheels to release, for every machine from this one, and checks them.

    pip install build auditwheel
    python export/runtime/release.py                      # dist/*.whl for x86_64, aarch64 and armv7l
    python export/runtime/release.py aarch64 --output DIR

The compiler is that of the PyPI package `ziglang`; it is fetched for the build and removed after it. What is checked
before a wheel leaves the build's own folder:

- auditwheel finds the platform that the wheel's name promises, or an older one;
- the library is for that machine, under 500 KB, needs the C library alone and has no relocations in its code.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "build_support"))

from targets import TARGETS, VARIABLE, Target  # noqa: E402

_LIBRARY = "lq_fda_runtime/liblq_fda_delegate.so"
_LARGEST = 500_000
_C_LIBRARY = {"libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-aarch64.so.1", "ld-linux-armhf.so.3"}
_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64", "armv7l": "EM_ARM"}


def release(name: str, output: Path) -> list[str]:
    """Builds a wheel and puts it into a folder if nothing is wrong with it; returns what is."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(name, Path(folder))
        faults = check(wheel, name, TARGETS[name])
        if not faults:
            output.mkdir(parents=True, exist_ok=True)
            shutil.move(str(wheel), str(output / wheel.name))
    return [f"{wheel.name}: {fault}" for fault in faults]


def build(name: str, folder: Path) -> Path:
    """Builds one wheel; returns its path."""
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(HERE)]
    if subprocess.run(command, check=False, env={**os.environ, VARIABLE: name}).returncode:
        sys.exit(f"The wheel for {name} could not be built; what the build said stands above.")
    (wheel,) = folder.glob("*.whl")
    return wheel


def check(wheel: Path, name: str, target: Target) -> list[str]:
    """What is wrong with a wheel; empty when nothing is."""
    faults = []
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", str(wheel)], capture_output=True, text=True, check=False
    )
    # auditwheel wraps its lines.
    said = " ".join((shown.stdout + shown.stderr).split())
    print(said)
    found = re.search(r'following platform tag: "([a-z0-9_]+)"', said)
    promised = _glibc(target.platforms[0])
    if not found or not found.group(1).startswith("manylinux_") or _glibc(found.group(1)) > promised:
        faults.append(f"auditwheel finds {found.group(1) if found else 'no platform'}, not {target.platforms[0]}")
    return [*faults, *_library_faults(wheel, name)]


def _library_faults(wheel: Path, name: str) -> list[str]:
    from elftools.elf.elffile import ELFFile

    faults = []
    with zipfile.ZipFile(wheel) as archive, archive.open(_LIBRARY) as file:
        size = archive.getinfo(_LIBRARY).file_size
        elf = ELFFile(file)
        tags = list(elf.get_section_by_name(".dynamic").iter_tags())
        needed = {tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"}
        if elf["e_machine"] != _MACHINES[name]:
            faults.append(f"the library is for {elf['e_machine']}")
        if size > _LARGEST:
            faults.append(f"the library has {size} bytes, more than {_LARGEST}")
        if needed - _C_LIBRARY:
            faults.append(f"the library needs {sorted(needed - _C_LIBRARY)}")
        if any(tag.entry.d_tag == "DT_TEXTREL" for tag in tags):
            faults.append("the library has relocations in its code")
    print(f"{wheel.name}: library {size} bytes, needs {', '.join(sorted(needed))}")
    return faults


def _glibc(tag: str) -> tuple[int, int]:
    major, minor = re.match(r"manylinux_(\d+)_(\d+)_", tag).groups()
    return int(major), int(minor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--output", type=Path, default=HERE / "dist", help="where to put the wheels")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(TARGETS))
    if unknown:
        sys.exit(f"No such target. Expected some of {sorted(TARGETS)}. Received: {unknown}.")
    faults = [fault for name in arguments.targets or TARGETS for fault in release(name, arguments.output)]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
