"""How far the inner loop of the binary convolution on 64-bit ARM is from what the processor's ports allow.

    python benchmarks/neon_loop.py ZIG      # the program zig; llvm-mca comes with Debian's package llvm

zig's clang compiles the table of NEON kernels as for the wheel, the loops that count bits are cut out of the assembly,
and llvm-mca tells how long they take on a processor. Per 128 multiply-accumulates such a loop must do one eor, one cnt
and one add on vectors, and Cortex-A72 and A76 have two ports for these.
LLVM 14 has one model for both, that of Cortex-A57.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROCESSORS = ("cortex-a72", "cortex-a76")
MACS = 128  # Of a cnt of 16 bytes.
OPERATIONS, PORTS = 3, 2
# Without sdot: smull and smlal multiply eight numbers each, sadalp adds the pairs up.
INT8_OPERATIONS = 3 * MACS // 16
ITERATIONS = 200


def assembly(zig: str) -> str:
    """The table of NEON kernels, as zig compiles it for the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "neon.s"
        flags = "-O3 -g0 -DNDEBUG -std=c++17 -fPIC -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffp-contract=off"
        subprocess.run(
            [
                zig,
                "c++",
                "-target",
                "aarch64-linux-gnu.2.17",
                "-nostdlib++",
                "-fno-sanitize=all",
                *flags.split(),
                f"-I{ROOT / 'src'}",
                "-S",
                "-o",
                str(output),
                str(ROOT / "src/kernels/table_neon.cc"),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return output.read_text()


def counting_loops(text: str) -> list[tuple[str, list[str]]]:
    """Blocks that end with a jump to their own begin and count bits, each with the kernel that it is in."""
    loops, kernel, label, block = [], "", "", []
    for line in text.splitlines():
        code = line.split("//")[0].strip()
        start = re.match(r"([\w.$]+):", line)
        if start:
            label, block = start[1], []
            if not label.startswith("."):
                kernel = re.sub(r"^_ZN5lqfda12_GLOBAL__N_1\d+(\w+?)I.*", r"\1", label)
        elif code and not code.startswith("."):
            block.append(code)
            if label and code.split()[-1] == label and any(line.startswith("cnt") for line in block):
                loops.append((kernel, list(block)))
    return loops


def cycles(block: list[str], processor: str) -> float:
    """Cycles of one round of a loop, by llvm-mca's model of a processor."""
    command = ["llvm-mca", "-mtriple=aarch64", f"-mcpu={processor}", f"-iterations={ITERATIONS}"]
    report = subprocess.run(command, input="\n".join(block), check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / ITERATIONS


def main() -> None:
    loops = counting_loops(assembly(sys.argv[1]))
    if not loops:
        sys.exit("No loop that counts bits was found in the assembly of src/kernels/table_neon.cc.")
    limit = OPERATIONS / PORTS
    version = re.search(r"LLVM version [\d.]+", subprocess.check_output(["llvm-mca", "--version"], text=True))[0]
    print(f"NEON: cycles per {MACS} binary multiply-accumulates, by {version}; the ports' limit is {limit}\n")
    columns = "".join(f" {processor} |" for processor in PROCESSORS)
    print(f"| kernel      | accumulators | instructions | of them moves | a MAC  |{columns}")
    print("| ----------- | -----------: | -----------: | ------------: | -----: |" + " ---------: |" * len(PROCESSORS))
    for kernel, block in loops:
        counts = sum(line.startswith("cnt") for line in block)
        moves = sum(line.startswith(("mov\tv", "mov v", "str\tq", "str q")) for line in block)
        row = f"| {kernel:11} | {counts:12} | {len(block):12} | {moves:13} | {len(block) / counts / MACS:.4f} |"
        print(row + "".join(f" {cycles(block, p) / counts:10.2f} |" for p in PROCESSORS))
    print(f"\nint8 without sdot takes {INT8_OPERATIONS} operations, so {INT8_OPERATIONS / PORTS:.0f} cycles at least.")


if __name__ == "__main__":
    main()
