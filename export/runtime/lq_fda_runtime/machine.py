"""What machine this is and which versions: a number without them says nothing."""

from __future__ import annotations

import os
import platform
import re
import struct
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import lq_fda_runtime

_PACKAGES = ("lq-fda-runtime", "ai-edge-litert", "tflite-runtime", "tensorflow", "numpy", "pillow")


def usable_cores() -> int:
    """How many processors this process may run on; fewer than there are under `taskset` or in a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def board() -> str:
    """The board's name, as on a Raspberry Pi; empty where the firmware does not say."""
    return _text("/proc/device-tree/model").strip("\0\n ")


def cpu_model() -> str:
    """The processor's name; on ARM its implementer's and part's numbers, which is all that the kernel knows."""
    fields = dict(
        tuple(part.strip() for part in line.split(":", 1))
        for line in _text("/proc/cpuinfo").splitlines()
        if ":" in line
    )
    if "model name" in fields:
        return fields["model name"]
    if "CPU part" in fields:
        part = fields["CPU part"]
        return _ARM_PARTS.get(part, f"ARM implementer {fields.get('CPU implementer', '?')} part {part}")
    return platform.processor() or platform.machine()


# Of the boards that people run networks on; from the processors' manuals.
_ARM_PARTS = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
}


def governor() -> str:
    """How the kernel chooses the clock: `performance` gives steady times; empty where it does not say."""
    return _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()


def condition() -> dict[str, Any]:
    """What may change while one measures; None or empty where the kernel does not say.

    Returns:
        `governor`; `frequency_mhz`, the slowest and the fastest processor's clock; `temperature_c`, the hottest zone's;
        `throttling`, what `vcgencmd get_throttled` says on a Raspberry Pi, and elsewhere how often the processor has
        been throttled for its heat since it was started.
    """
    clocks = _clocks_mhz()
    zones = [int(value) / 1000 for value in _texts("/sys/class/thermal", "thermal_zone*/temp") if _is_number(value)]
    return {
        "governor": governor(),
        "frequency_mhz": [round(min(clocks)), round(max(clocks))] if clocks else None,
        "temperature_c": max(zones) if zones else None,
        "throttling": _throttling(),
    }


def _clocks_mhz() -> list[float]:
    scaled = _texts("/sys/devices/system/cpu", "cpu[0-9]*/cpufreq/scaling_cur_freq")
    if scaled:
        return [int(value) / 1000 for value in scaled if _is_number(value)]
    return [float(value) for value in re.findall(r"^cpu MHz\s*:\s*([0-9.]+)$", _text("/proc/cpuinfo"), re.M)]


def _throttling() -> str:
    try:
        said = subprocess.run(
            ["vcgencmd", "get_throttled"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
        return said.strip().partition("=")[2]
    except (OSError, subprocess.SubprocessError):
        counts = _texts("/sys/devices/system/cpu", "cpu[0-9]*/thermal_throttle/core_throttle_count")
        return str(sum(int(count) for count in counts if _is_number(count))) if counts else ""


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = lq_fda_runtime.__version__ if package == "lq-fda-runtime" else "absent"
    return found


def describe() -> dict[str, Any]:
    """The machine and the versions, as plain values for a record; the same names as in lq_fda's records."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python_bits": 8 * struct.calcsize("P"),
        "board": board(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "governor": governor(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_average": list(os.getloadavg()),
        "versions": versions(),
    }


def _texts(folder: str, pattern: str) -> list[str]:
    return [_text(path).strip() for path in sorted(Path(folder).glob(pattern))]


def _text(path: str | os.PathLike[str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # The kernel of this machine has no such file, which is an answer too.
