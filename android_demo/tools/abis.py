"""What differs between Android's ABIs; one row each."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Abi:
    """A kind of processor that Android runs on, and the machine that stands in for it here.

    Args:
        name: Android's.
        machine: In the ELF header.
        bits: Of a pointer.
        triple: What clang compiles for; the API level follows it.
        flags: Of the compiler, besides.
        builtins: What zig compiles the arithmetic for that a processor lacks, such as 64-bit division.
        isas: The instruction sets that the delegate has kernels for, the best first.
        host: What zig compiles the stand-ins for bionic for: the same calling convention, and glibc.
        qemu: Runs that on an old processor of the kind; the first word is the program. Empty: this processor does.
        libc: Debian's package with the C library of `host`, and its program loader.
    """

    name: str
    machine: str
    bits: int
    triple: str
    flags: tuple[str, ...]
    builtins: tuple[str, ...]
    isas: tuple[str, ...]
    host: str
    qemu: tuple[str, ...]
    libc: tuple[str, str]


_ROWS = (
    Abi(
        name="arm64-v8a",
        machine="EM_AARCH64",
        bits=64,
        triple="aarch64-linux-android",
        # Otherwise atomics ask a run-time library which instructions there are.
        flags=("-mno-outline-atomics",),
        builtins=("aarch64-linux-android", "generic"),
        isas=("neon", "portable"),
        host="aarch64-linux-gnu.2.31",
        qemu=("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "cortex-a72"),
        libc=("libc6-arm64-cross", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"),
    ),
    Abi(
        name="armeabi-v7a",
        machine="EM_ARM",
        bits=32,
        # To clang NEON belongs to it, from API level 21 on; floats travel in integer registers.
        triple="armv7a-linux-androideabi",
        flags=("-mthumb",),
        builtins=("arm-linux-androideabi", "generic+v7a"),
        isas=("neon", "portable"),
        # Not gnueabihf, whose floats travel in registers of their own.
        host="arm-linux-gnueabi.2.31",
        qemu=("qemu-arm", "-L", "/usr/arm-linux-gnueabi", "-cpu", "cortex-a9"),
        libc=("libc6-armel-cross", "/usr/arm-linux-gnueabi/lib/ld-linux.so.3"),
    ),
    Abi(
        name="x86_64",
        machine="EM_X86_64",
        bits=64,
        triple="x86_64-linux-android",
        flags=(),
        builtins=("x86_64-linux-android", "x86_64"),
        isas=("avx512", "avx2", "portable"),
        host="x86_64-linux-gnu.2.31",
        qemu=(),
        libc=("libc6", "/lib64/ld-linux-x86-64.so.2"),
    ),
)
ABIS = {row.name: row for row in _ROWS}
