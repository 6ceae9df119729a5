"""What the runtime's records say of a machine: read from the kernel's files, here of boards that are not at hand."""

import subprocess
from pathlib import Path

import pytest
from lq_fda_runtime import machine

from lq_fda.artifacts import Condition


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A machine of files: `board({"/sys/...": "text"}, vcgencmd="throttled=0x0")`."""

    def make(files, vcgencmd=None):
        for name, text in files.items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(machine, "Path", lambda path: Path(str(path).replace("/", f"{tmp_path}/", 1))
                            if not str(path).startswith(str(tmp_path)) else Path(path))  # fmt: skip

        def run(command, **settings):
            assert command == ["vcgencmd", "get_throttled"]
            if vcgencmd is None:
                raise FileNotFoundError("vcgencmd")
            return subprocess.CompletedProcess(command, 0, stdout=f"{vcgencmd}\n")

        monkeypatch.setattr(machine.subprocess, "run", run)

    return make


CPU = "/sys/devices/system/cpu"


def test_a_raspberry_pi(board):
    board(
        {
            f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
            f"{CPU}/cpu1/cpufreq/scaling_cur_freq": "2400000\n",
            f"{CPU}/cpu0/cpufreq/scaling_governor": "ondemand\n",
            "/sys/class/thermal/thermal_zone0/temp": "61850\n",
            "/sys/class/thermal/thermal_zone1/temp": "47000\n",
        },
        vcgencmd="throttled=0x80008",
    )
    found = machine.condition()
    assert found == {
        "governor": "ondemand",
        "frequency_mhz": [1500, 2400],
        "temperature_c": 61.85,
        "throttling": "0x80008",
    }
    assert Condition(**found).frequency_mhz == (1500, 2400)


def test_a_pc_and_a_machine_that_says_nothing(board, monkeypatch):
    board(
        {
            "/proc/cpuinfo": "cpu MHz\t\t: 2596.100\ncpu MHz\t\t: 3100.000\n",
            f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "3\n",
            f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "4\n",
        }
    )
    found = machine.condition()
    assert (found["frequency_mhz"], found["throttling"], found["temperature_c"]) == ([2596, 3100], "7", None)
    monkeypatch.setattr(machine, "Path", lambda path: Path("/nonexistent"))
    assert machine.condition() == {"governor": "", "frequency_mhz": None, "temperature_c": None, "throttling": ""}
