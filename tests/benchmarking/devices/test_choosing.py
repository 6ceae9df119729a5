"""The names of devices, and what goes to ssh for them."""

import ast
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from lq_fda.benchmarking.devices import AdbDevice, HostDevice, SshDevice, agent, measure_all, open_device, wheels
from lq_fda.benchmarking.devices.ssh import REMOTE_COMMAND, parse_address
from lq_fda.errors import LqFdaError


def test_names_mean_devices(tmp_path):
    assert open_device("host") == HostDevice()
    assert open_device("adb") == AdbDevice("adb")
    assert open_device("ssh://pi@raspberrypi.local", wheels=tmp_path) == SshDevice(
        "ssh://pi@raspberrypi.local", tmp_path
    )


@pytest.mark.parametrize(
    "name",
    [
        "", "localhost", "pi@host", "http://host", "ssh:host", "ssh://", "ssh://-oProxyCommand=reboot", "ssh://a;b",
        "ssh://-x@host", "ssh://a b", "ssh://$(reboot)", "ssh://a@b@c", "ssh://h:0", "ssh://h:65536", "ssh://h:x",
        "ssh://h/path", "ssh://h\n", "ssh://u:password@h", "ssh://h?x", "ssh://`id`",
    ],
)  # fmt: skip
def test_what_names_no_device_is_refused(name):
    with pytest.raises(LqFdaError, match="Expected"):
        open_device(name)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("ssh://board", ["--", "board"]),
        ("ssh://pi@board", ["-l", "pi", "--", "board"]),
        ("ssh://pi@board:2222/", ["-l", "pi", "-p", "2222", "--", "board"]),
        ("ssh://pi@[fe80::1%eth0]:22", ["-l", "pi", "-p", "22", "--", "fe80::1%eth0"]),
    ],
)
def test_ssh_gets_arguments_and_the_device_a_constant(text, end):
    command = parse_address(text).command()
    assert command[0] == "ssh" and command[-len(end) - 1 :] == [*end, REMOTE_COMMAND]
    assert "StrictHostKeyChecking=yes" in command and "BatchMode=yes" in command


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_shells_read_the_constant_alike(shell):
    done = subprocess.run(
        [shell, "-c", REMOTE_COMMAND], input=b"14\nprint(2 ** 10)tail", capture_output=True, check=True
    )
    assert done.stdout == b"1024\n"


def test_old_pythons_read_the_agent_and_can_be_told_that_they_are_too_old():
    folder = Path(agent.__file__).parent
    for name in ("agent.py", "worker.py"):
        ast.parse((folder / name).read_text(), feature_version=(3, 7))


def test_machines_have_kinds():
    assert wheels.kind_of("aarch64", 64) == "aarch64" and wheels.kind_of("aarch64", 32) == "armv7l"
    for machine, bits in (("armv6l", 32), ("x86_64", 32), ("riscv64", 64)):
        with pytest.raises(LqFdaError, match="no runtime for this device"):
            wheels.kind_of(machine, bits)


def test_the_newest_wheel_that_fits_is_taken(tmp_path):
    for name in (
        "lq_fda_runtime-0.9.0-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "lq_fda_runtime-0.10.0-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "lq_fda_runtime-0.11.0-py3-none-manylinux_2_17_armv7l.whl",
        "lq_fda_runtime-0.12.0-py3-none-any.whl",
        "another-1.0-py3-none-manylinux_2_17_aarch64.whl",
        "nonsense.whl",
    ):
        (tmp_path / name).write_bytes(name.encode())
    name, content = wheels.find_wheel("aarch64", tmp_path)
    assert name.startswith("lq_fda_runtime-0.10.0") and content == name.encode()
    assert wheels.find_wheel("armv7l", tmp_path / "lq_fda_runtime-0.11.0-py3-none-manylinux_2_17_armv7l.whl")
    for source in (tmp_path / "absent.whl", tmp_path / "lq_fda_runtime-9-py3-none-manylinux_2_17_aarch64.whl"):
        with pytest.raises(LqFdaError, match="no wheel"):
            wheels.find_wheel("aarch64", source)


def test_the_installed_runtime_becomes_the_same_wheel_each_time(tmp_path):
    kind = wheels.kind_of("x86_64" if sys.platform == "linux" else "?", 8 * struct.calcsize("P"))
    name, content = wheels.find_wheel(kind, None)
    assert (name, content) == wheels.find_wheel(kind, None)
    (tmp_path / name).write_bytes(content)
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(tmp_path / name)], check=True)
    for file in metadata.distribution("lq-fda-runtime").files:
        if file.parts[0] == "lq_fda_runtime" and file.suffix != ".pyc":
            assert (target / file).read_bytes() == file.read_binary(), file
    with pytest.raises(LqFdaError, match=r"release\.py aarch64"):
        wheels.find_wheel("aarch64", None)


def test_a_runtime_that_is_installed_as_a_link_to_its_source_is_not_sent(monkeypatch):
    linked = SimpleNamespace(files=[metadata.PackagePath("__editable__.lq_fda_runtime-0.1.0.pth")])
    monkeypatch.setattr(wheels.metadata, "distribution", lambda name: linked)
    kind = wheels.kind_of("x86_64", 8 * struct.calcsize("P"))
    with pytest.raises(LqFdaError, match=r"without its library, as by --editable.*release\.py"):
        wheels.find_wheel(kind, None)
    linked.files = None  # Debian's packages may have no list.
    with pytest.raises(LqFdaError, match="without its library"):
        wheels.find_wheel(kind, None)


class Told:
    """A device that gives one record, or does what it is told."""

    def __init__(self, name, error=None):
        self.name = name
        self._error = error

    def measure(self, bundle, **options):
        if self._error is not None:
            raise self._error
        yield f"record of {self.name}"


def test_ctrl_c_keeps_what_was_measured_and_ends_the_rest():
    failed = LqFdaError("It is off.", cure="Switch it on.")
    devices = [Told("a"), Told("b", failed), Told("c", KeyboardInterrupt()), Told("d")]
    measured = measure_all(None, devices)
    assert measured.records == ["record of a"] and list(measured.failures) == ["b", "c"]
    with pytest.raises(LqFdaError, match=r"b: It is off.*\nc: Somebody pressed Ctrl-C"):
        measured.require_all()
    with pytest.raises(KeyboardInterrupt):
        measure_all(None, devices[2:])
