"""What records say of this machine, where the system is less talkative than here."""

from pathlib import Path

import psutil
import pytest

from lq_fda.artifacts import Condition, describe_condition


def test_a_condition_is_what_a_record_takes():
    found = Condition.model_validate(describe_condition())
    assert found.frequency_mhz is None or 0 < found.frequency_mhz[0] <= found.frequency_mhz[1]


@pytest.mark.parametrize("error", [NotImplementedError, AttributeError])
def test_a_system_that_shows_no_clock_has_none(monkeypatch, error):
    def refuse(percpu):
        raise error

    monkeypatch.setattr(psutil, "cpu_freq", refuse)
    assert describe_condition()["frequency_mhz"] is None


def test_a_file_of_the_kernels_that_cannot_be_read_is_left_out(monkeypatch):
    def refuse(path):
        raise OSError(19, "No such device")

    monkeypatch.setattr(Path, "glob", lambda *_: [Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")])
    monkeypatch.setattr(Path, "read_text", refuse)
    assert (describe_condition()["governor"], describe_condition()["throttling"]) == ("", "")
