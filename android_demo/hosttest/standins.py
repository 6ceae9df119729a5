"""Makes stand-ins for Android's system libraries, so that Android's own libraries run in a process of this Linux.

python android_demo/hosttest/standins.py --abi x86_64 --output DIR LIBRARY...

Then a process that has DIR in LD_LIBRARY_PATH loads the libraries. What runs is the machine code that a phone runs,
over glibc instead of bionic: a pass says that the code, its calling convention and its use of TFLite are right, and
nothing of bionic, of its loader, or of a phone's speed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import elf  # noqa: E402
import zig  # noqa: E402
from abis import ABIS, Abi  # noqa: E402
from commands import ToolError  # noqa: E402

_JUMPS = {"EM_X86_64": "jmp {}@PLT", "EM_AARCH64": "b {}", "EM_ARM": "b {}"}


def make(abi: Abi, libraries: Sequence[Path], folder: Path) -> Path:
    """Makes the stand-ins that these libraries need.

    Args:
        abi: What they are for.
        libraries: Android's libraries.
        folder: Where the stand-ins go.

    Returns:
        The folder, for LD_LIBRARY_PATH.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sorted({symbol.name for library in libraries for symbol in elf.read(library).imports if symbol.version})
    source = (HERE / "bionic.c").read_text(encoding="utf-8")
    own = set(re.findall(r"^BIONIC\((\w+)\);", source, re.MULTILINE))
    jumps, script, empty = folder / "jumps.s", folder / "libc.map", folder / "empty.c"
    jumps.write_text(_jumps(abi, [name for name in wanted if name not in own]), encoding="utf-8")
    script.write_text("LIBC { };\n", encoding="utf-8")
    empty.write_text("int lq_fda_stand_in;\n", encoding="utf-8")
    shared = ("-shared", "-fPIC", f"-Wl,--version-script={script}")
    zig.compile_c(
        abi.host,
        [HERE / "bionic.c", jumps],
        folder / "libc.so",
        *(*shared, "-fno-builtin", "-lm", "-ldl", "-lpthread", "-Wl,-soname,libc.so", "-Wl,-z,defs"),
    )
    # Where a name is looked for first does not matter: the loader looks in all of them.
    for name in ("libm.so", "libdl.so"):
        zig.compile_c(abi.host, [empty], folder / name, *shared, f"-Wl,-soname,{name}")
    zig.compile_c(abi.host, [HERE / "log.c"], folder / "liblog.so", "-shared", "-fPIC", "-Wl,-soname,liblog.so")
    return folder


def _jumps(abi: Abi, names: Sequence[str]) -> str:
    lines = [".text", *([".arm", ".syntax unified"] if abi.machine == "EM_ARM" else [])]
    for name in names:
        jump = _JUMPS[abi.machine].format(name)
        lines += [f".globl bionic_{name}", f".type bionic_{name}, %function", f"bionic_{name}: {jump}"]
        lines.append(f".symver bionic_{name}, {name}@LIBC")
    lines.append('.section .note.GNU-stack, "", %progbits')
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--abi", choices=ABIS, required=True, help="what the libraries are for")
    parser.add_argument("--output", type=Path, required=True, help="where the stand-ins go")
    parser.add_argument("libraries", type=Path, nargs="+", help="libraries for Android")
    arguments = parser.parse_args()
    try:
        make(ABIS[arguments.abi], arguments.libraries, arguments.output)
    except ToolError as error:
        sys.exit(f"standins.py: {error}")


if __name__ == "__main__":
    main()
