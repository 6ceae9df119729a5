"""The machines that wheels are made for, and what each of them needs; one row each."""

from __future__ import annotations

import dataclasses
import os
import platform
import struct


@dataclasses.dataclass(frozen=True)
class Target:
    """A kind of machine.

    Args:
        zig: What zig is told to compile for; the number is the oldest glibc that runs the library.
        cpu: The oldest processor that runs it, in zig's spelling; empty for the architecture's first.
        platforms: Platform tags of a released wheel.
        runtime: What a wheel for this machine depends on besides numpy and Pillow.
    """

    zig: str
    cpu: str
    platforms: tuple[str, ...]
    runtime: tuple[str, ...]

    @property
    def tags(self) -> list[str]:
        """Tags of a released wheel: the library knows nothing of Python, so one wheel serves every version."""
        return [f"py3-none-{platform}" for platform in self.platforms]


# LiteRT 1.0 wants numpy 1, and the constructor of 1.1.0 fails when it is given a thread count.
_LITERT = ("numpy>=1.23", "ai-edge-litert>=1.1.1")
# LiteRT has no wheels for 32-bit ARM; its predecessor does, and knows numpy 1 alone.
_TFLITE = ("numpy>=1.23,<2", "tflite-runtime>=2.14,<3")

TARGETS = {
    "x86_64": Target("x86_64-linux-gnu.2.17", "", ("manylinux_2_17_x86_64", "manylinux2014_x86_64"), _LITERT),
    "aarch64": Target("aarch64-linux-gnu.2.17", "", ("manylinux_2_17_aarch64", "manylinux2014_aarch64"), _LITERT),
    # A Raspberry Pi 2 has the oldest processor with NEON that there is an operating system for.
    "armv7l": Target(
        "arm-linux-gnueabihf.2.17", "cortex_a7", ("manylinux_2_17_armv7l", "manylinux2014_armv7l"), _TFLITE
    ),
}

VARIABLE = "LQ_FDA_TARGET"


def chosen() -> str:
    """The name of the machine to build for: that in $LQ_FDA_TARGET, else this one.

    `platform.machine()` alone names the kernel's machine; a 32-bit Raspberry Pi OS may run on a 64-bit kernel.
    """
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    machine = platform.machine().lower()
    if struct.calcsize("P") == 4 and machine in ("aarch64", "arm64", "armv8l"):
        return "armv7l"
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def release_target() -> Target | None:
    """The row that $LQ_FDA_TARGET names; None when it is not set.

    Raises:
        ValueError: There is no such row.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    if name not in TARGETS:
        raise ValueError(f"No such target. Expected one of {sorted(TARGETS)}. Received: {VARIABLE}={name!r}.")
    return TARGETS[name]
