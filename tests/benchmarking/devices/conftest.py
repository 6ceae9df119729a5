"""A device that is reached by ssh: a real sshd on this machine, with a home, a Python and a pip of its own.

The ssh server listens on the loopback address, with keys made on the spot; nothing of this machine's own configuration
is read or changed. The device's pip finds its packages in a folder: those that are installed here, made wheels again.
"""

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from lq_fda.benchmarking.devices import SshDevice, wheels

SSHD = "/usr/sbin/sshd"


@dataclasses.dataclass
class Board:
    """The device.

    Args:
        folder: Where its files are on this machine.
        home: Its user's home.
        port: Where its ssh server listens.
    """

    folder: Path
    home: Path
    port: int
    server: subprocess.Popen | None = None

    @property
    def name(self) -> str:
        return "ssh://board"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "lq-fda"

    def device(self, wheels: Path | None = None) -> SshDevice:
        return SshDevice(self.name, wheels)

    def set_python(self, script: str) -> None:
        """What the device's python3 is: a script for /bin/sh."""
        path = self.folder / "bin" / "python3"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def say(self, *lines: bytes) -> None:
        """Has the device's python3 be somebody who prints these lines and listens no more."""
        said = self.folder / "said"
        said.write_bytes(b"".join(line + b"\n" for line in lines))
        self.set_python(f"cat {shlex.quote(str(said))}; cat > /dev/null")

    def start(self, path: str | None = None) -> None:
        self.stop()
        lines = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "user.pub",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "SetEnv": f"HOME={self.home} PATH={path or f'{self.folder}/bin:/usr/bin:/bin'}",
        }
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        with (self.folder / "sshd.log").open("ab") as log:
            self.server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail(f"sshd did not start: {(self.folder / 'sshd.log').read_text()}")

    def stop(self) -> None:
        """Ends the server, and with it every connection."""
        if self.server is not None:
            self.cut()
            self.server.kill()
            self.server.wait()
            self.server = None

    def cut(self) -> None:
        """Breaks the connections: kills the server's children, and nobody else."""
        for child in psutil.Process(self.server.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def worker(self) -> psutil.Process:
        """Who measures."""
        return psutil.Process(int((self.cache / "lock").read_text().split()[1]))

    def connections(self) -> int:
        return (self.folder / "sshd.log").read_text().count("Accepted publickey")

    def left(self) -> list[str]:
        """What is in its cache but the lock and the runtime."""
        entries = sorted(path.name for path in self.cache.iterdir()) if self.cache.exists() else []
        return [name for name in entries if name != "lock" and not re.fullmatch("runtime-[0-9a-f]{16}", name)]

    def make_key(self, name: str) -> str:
        """A new key in its folder; returns the public half."""
        return _make_key(self.folder / name)

    def know(self, key: str) -> None:
        """Has this machine know the device by a key, or by none."""
        (self.folder / "known_hosts").write_text(key and f"[127.0.0.1]:{self.port} {key}\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _make_key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory) -> Path:
    """The packages that the runtime needs, as wheels."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    waiting, done = ["ai-edge-litert", "numpy", "pillow"], set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        installed = metadata.distribution(name)
        file, content = wheels.pack(installed)
        (folder / file).write_bytes(content)
        needed = [Requirement(text) for text in installed.requires or ()]
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return folder


@pytest.fixture(scope="session")
def equipped_home(tmp_path_factory, wheelhouse) -> Path:
    """A device's home, in which the first measurement installs the runtime, for all that follow."""
    home = tmp_path_factory.mktemp("home")
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {wheelhouse}\n")
    (home / ".bashrc").write_text("echo Welcome to the board\n")  # Read by bash at the other end of ssh, too.
    return home


@pytest.fixture
def board(tmp_path, monkeypatch, equipped_home):
    """A device with a running ssh server, which this machine knows."""
    if not Path(SSHD).exists():
        missing = "needs a real ssh server: sudo apt-get install openssh-server"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd of root wants this empty folder.
    folder = tmp_path / "board"
    (folder / "bin").mkdir(parents=True)
    board = Board(folder, equipped_home, _free_port())
    board.know(board.make_key("host"))
    board.make_key("user")
    board.set_python(f'exec {shlex.quote(sys._base_executable)} "$@"')
    # ssh takes its configuration from the real home, whatever $HOME is; so it is told.
    (folder / "ssh_config").write_text(
        f"Host board\n  HostName 127.0.0.1\n  Port {board.port}\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile none\n"
    )
    client = tmp_path / "client"
    client.mkdir()
    (client / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    (client / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{client}:{os.environ['PATH']}")
    board.start()
    yield board
    board.stop()
    # A test that failed must not spoil the next.
    for name in board.left():
        if name[4:] == (board.cache / "lock").read_text().split()[0]:
            with contextlib.suppress(psutil.NoSuchProcess):
                board.worker().kill()
        shutil.rmtree(board.cache / name)
