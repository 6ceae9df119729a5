"""What machine and which versions: a number without them says nothing."""

import contextlib
import datetime
import os
import platform
import shlex
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = (
    "lq-fda",
    "tensorflow",
    "tf-keras",
    "larq",
    "larq-compute-engine",
    "ai-edge-litert",
    "lq-fda-runtime",
    "tensorflow-datasets",
    "keras-tuner",
    "numpy",
)


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "absent"
    return versions


def describe_environment() -> dict[str, Any]:
    """The machine and the versions, as plain values for a record."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "versions": _versions(),
    }


def describe_condition() -> dict[str, Any]:
    """What may change while one measures; None or empty where the system does not say.

    Returns:
        The fields of a `Condition`; `throttling` is how often the processor has been throttled for its heat since it
        was started.
    """
    clocks = _clocks_mhz()
    sensors = psutil.sensors_temperatures().values() if hasattr(psutil, "sensors_temperatures") else ()
    temperatures = [sensor.current for chip in sensors for sensor in chip]
    return {
        "governor": "".join(_texts("cpu0/cpufreq/scaling_governor")),
        "frequency_mhz": [round(min(clocks)), round(max(clocks))] if clocks else None,
        "temperature_c": max(temperatures) if temperatures else None,
        "throttling": _throttling(),
    }


def _clocks_mhz() -> list[float]:
    try:
        return [clock.current for clock in psutil.cpu_freq(percpu=True) or ()]
    except (AttributeError, NotImplementedError):
        return []  # psutil's answer where the kernel shows no clock.


def _throttling() -> str:
    counts = [int(count) for count in _texts("cpu[0-9]*/thermal_throttle/core_throttle_count")]
    return str(sum(counts)) if counts else ""


def _texts(pattern: str) -> list[str]:
    """What the kernel's files on its processors say; some that it lists cannot be read."""
    texts = []
    for path in sorted(Path("/sys/devices/system/cpu").glob(pattern)):
        with contextlib.suppress(OSError):
            texts.append(path.read_text().strip())
    return texts


def describe_measurement() -> dict[str, Any]:
    """The fields that the records of one measurement share: a new `run`, `date`, `environment` and `command`."""
    return {
        "run": uuid.uuid4().hex,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "environment": describe_environment(),
        "command": shlex.join(["lq-fda", *sys.argv[1:]]),
    }


def usable_cores() -> int:
    """How many cores this process may run on; fewer than the machine has under `taskset` or in a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
