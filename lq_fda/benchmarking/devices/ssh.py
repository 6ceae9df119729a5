"""A device that is reached by OpenSSH's own client.

That client knows `~/.ssh/config`, agents, jump hosts and security keys. It is given a list of arguments, and the device
one command that never changes: Python, which reads what it is to do from the connection. So there is no text that a
shell, here or there, could take for a command.
"""

import dataclasses
import re
from pathlib import Path

from lq_fda.benchmarking.devices import agent
from lq_fda.benchmarking.devices.processes import Process, Silence
from lq_fda.errors import LqFdaError

PATIENCE = 30.0  # Seconds that a device may take nothing of what it is sent.
# Read by whatever shell the user has on the device: nothing in it is special between double quotes.
REMOTE_COMMAND = (
    'exec python3 -u -c "import sys; source = sys.stdin.buffer.read(int(sys.stdin.buffer.readline())); exec(source)"'
)
_ADDRESS = re.compile(
    r"ssh://(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
    r"(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_OPTIONS = {
    "BatchMode": "yes",  # Without a terminal nobody can answer a question.
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "ControlPath": "none",  # A connection of its own, that no other one ends.
}


class Unreachable(LqFdaError):
    """The connection cannot be made, or broke: another try may succeed."""


@dataclasses.dataclass(frozen=True)
class Address:
    """Whom to connect to; what is None is for `~/.ssh/config` to say.

    Args:
        host: A name, also one of `~/.ssh/config`, or a number.
        user: The user there.
        port: The port there.
    """

    host: str
    user: str | None = None
    port: int | None = None

    @property
    def shown(self) -> str:
        """How a user would type it after `ssh`."""
        port = "" if self.port is None else f"-p {self.port} "
        return f"{port}{'' if self.user is None else f'{self.user}@'}{self.host}"

    def command(self) -> list[str]:
        """The arguments that start the agent there; Python waits for it on standard input."""
        options = [argument for name, value in _OPTIONS.items() for argument in ("-o", f"{name}={value}")]
        user = [] if self.user is None else ["-l", self.user]
        port = [] if self.port is None else ["-p", str(self.port)]
        return ["ssh", *options, *user, *port, "--", self.host, REMOTE_COMMAND]


def parse_address(text: str) -> Address:
    """Reads `ssh://user@host:port`; user and port may be left out.

    ```python
    from lq_fda.benchmarking.devices.ssh import parse_address

    assert parse_address("ssh://pi@raspberrypi.local").host == "raspberrypi.local"
    ```

    Raises:
        LqFdaError: It is no such address.
    """
    found = _ADDRESS.fullmatch(text)
    if not found or (found["port"] and not 1 <= int(found["port"]) <= 65535):
        raise LqFdaError(
            f"This is no address for ssh. Expected ssh://host, ssh://user@host or ssh://user@host:port. "
            f"Received: {text!r}.",
            cure="Put everything else, such as keys and jump hosts, into ~/.ssh/config.",
        )
    return Address(found["host"].strip("[]"), found["user"], int(found["port"]) if found["port"] else None)


def connect(address: Address) -> Process:
    """Starts the agent on a device.

    Raises:
        Unreachable: It takes nothing.
        LqFdaError: There is no ssh here.
    """
    try:
        process = Process(address.command())
    except FileNotFoundError:
        raise LqFdaError(
            "OpenSSH's client is missing. Expected `ssh` on the PATH.",
            cure="Install it: `sudo apt install openssh-client`.",
        ) from None
    source = Path(agent.__file__).read_bytes()
    send(process, address, f"{len(source)}\n".encode() + source)
    return process


def send(process: Process, address: Address, content: bytes) -> None:
    """Gives a device content.

    Raises:
        Unreachable: It takes nothing more.
    """
    try:
        process.send(content, PATIENCE)
    except Silence:
        raise silent(address, f"no more of {len(content)} bytes taken", PATIENCE) from None


def silent(address: Address, received: str, seconds: float) -> Unreachable:
    """The error for a connection on which nothing moves."""
    return Unreachable(
        f"The device has fallen silent. Received: {received} from {address.shown} in {seconds:.0f} seconds.",
        cure="See that it is on, and run the same command again: it goes on where it was.",
    )


def why_it_ended(process: Process, address: Address) -> LqFdaError:
    """The error for a connection that has ended too early, by what ssh and the device said."""
    code = process.wait()
    said = process.complaints()
    last = said.rpartition("\n")[2][:300] or "nothing"
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return LqFdaError(
            f"The device is not the one that this machine knows by that name: its host key is another one. "
            f"Received: {address.shown}.",
            # Which name the key is filed under, ~/.ssh/config decides.
            cure=f"If you have set it up anew: `ssh {address.shown}` names the file and line of the old key. Remove "
            "that line, connect once more, and compare the key's fingerprint with the device's. If not, somebody may "
            "be in between.",
        )
    if "Host key verification failed" in said or "host key is known" in said:
        return LqFdaError(
            f"This machine does not know the device's host key. Received: {address.shown}.",
            cure=f"Connect once by hand, `ssh {address.shown}`, and compare the key's fingerprint with the device's.",
        )
    if code == 255 and "Permission denied" in said:
        return LqFdaError(
            f"The device lets nobody in by that key. Expected a key that needs no password typed. "
            f"Received: {address.shown} ({last}).",
            cure=f"`ssh-copy-id {address.shown}`, and `ssh-add` where the key has a passphrase.",
        )
    if code in (126, 127):
        return LqFdaError(
            f"The device has no Python. Expected python3, 3.9 or later. Received: {last}",
            cure="Install it there: `sudo apt install python3 python3-venv`.",
        )
    return Unreachable(
        f"The connection to the device cannot be made or has ended. Received: {address.shown} ({last}).",
        cure="See that the device is on and in the network, and run the same command again: it goes on where it was.",
    )
