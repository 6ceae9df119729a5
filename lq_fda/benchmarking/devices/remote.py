"""A measurement on a device that is reached by ssh: files there, records back, over as many connections as it takes."""

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lq_fda.artifacts import BenchmarkRecord, Bundle, describe_measurement
from lq_fda.benchmarking.devices import messages, ssh
from lq_fda.benchmarking.devices.agent import GREETING
from lq_fda.benchmarking.devices.exchange import Threads, bundle_files, require_asked, require_complete
from lq_fda.benchmarking.devices.processes import Process, Silence
from lq_fda.benchmarking.devices.wheels import find_wheel, kind_of
from lq_fda.benchmarking.latency import STANDARD, Protocol
from lq_fda.errors import LqFdaError

# Seconds before the second, third, ... try to get back to a device; a Raspberry Pi starts anew in less than a minute.
_WAITS = (1, 2, 4, 8, 15, 30, 60, 60)
_SILENCE = 30.0  # The agent says something at least every three seconds.
_WELCOME = 1 << 16  # Bytes that a login may print before the agent speaks.
_FORGETTING = 10.0
_WORKER = Path(__file__).with_name("worker.py")  # It runs on the device alone: nothing here imports it.


@dataclasses.dataclass(frozen=True)
class SshDevice:
    """A Raspberry Pi or another Linux machine.

    It needs an ssh server, Python 3.9 or later with `venv`, and, the first time, its package index (pip).

    Args:
        name: `ssh://user@host:port`.
        wheels: A wheel of lq-fda-runtime, or a folder with wheels; by default the package that is installed here.

    ```python
    from lq_fda.benchmarking.devices import SshDevice

    assert SshDevice("ssh://pi@raspberrypi.local").name == "ssh://pi@raspberrypi.local"
    ```

    Raises:
        LqFdaError: It is no such address.
    """

    name: str
    wheels: Path | None = None

    def __post_init__(self) -> None:
        ssh.parse_address(self.name)

    def measure(
        self,
        bundle: Bundle,
        *,
        threads: Threads = (1, "all"),
        protocol: Protocol = STANDARD,
        progress: Callable[[str, int, int], None] = lambda step, done, total: None,
    ) -> Iterator[BenchmarkRecord]:
        """Yields the records as they arrive; a broken connection is made again, and the device works on meanwhile.

        What was measured when this ends early stays on the device: the same call fetches it.

        Args:
            bundle: Its files are compared with the manifest first, here and on the device.
            threads: Thread counts; `all` are those that the device has.
            protocol: How often to run.
            progress: Called with the step, what is done of it and how much there is.

        Raises:
            LqFdaError: The device cannot be reached, is not the known one, lacks something, is full or busy, computes
                something else than the converting machine, or sends what it should not or less than it should.
        """
        job = _Job({**bundle_files(bundle), _WORKER.name: _WORKER.read_bytes()}, tuple(threads), protocol)
        address = ssh.parse_address(self.name)
        seen: dict[tuple[str, str], BenchmarkRecord] = {}
        waits, met, furthest = list(_WAITS), False, 0
        while True:
            try:
                with (
                    ssh.connect(address) as process,
                    contextlib.closing(_converse(process, address, job, self.wheels, progress)) as said,
                ):
                    for message in said:
                        met = True
                        if isinstance(message, messages.Record):
                            record = message.record.model_copy(update={"device": self.name})
                            require_asked(record, bundle, threads, protocol)
                            if (record.run, record.file) not in seen:
                                seen[record.run, record.file] = record
                                yield record
                        elif isinstance(message, messages.Progress):
                            if message.done > furthest:
                                waits, furthest = list(_WAITS), message.done
                            progress("rounds", message.done, message.total)
                require_complete([*seen.values()], bundle, threads)
                return
            except ssh.Unreachable:
                if not met or not waits:
                    raise
                wait = waits.pop(0)
                progress(f"connection lost, next try in {wait} s", 0, 1)
                time.sleep(wait)


@dataclasses.dataclass(frozen=True)
class _Job:
    """What is asked of a device. Its name tells a device that it has seen it before, over another connection."""

    files: dict[str, bytes]
    threads: Threads
    protocol: Protocol

    def request(self, wheel: tuple[str, bytes]) -> tuple[bytes, list[bytes]]:
        """The line that asks for it, and the files that follow if the device wants them."""
        files = {**self.files, wheel[0]: wheel[1]}
        entries = [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ]
        protocol = {"rounds": self.protocol.rounds, "warmups": self.protocol.warmups, "settle": self.protocol.settle}
        task = {"threads": self.threads, "protocol": protocol, "wheel": wheel[0]}
        name = hashlib.sha256(json.dumps([entries, task], sort_keys=True).encode()).hexdigest()[:32]
        job = {**task, "command": describe_measurement()["command"]}
        return _line({"name": name, "files": entries, "job": job}), list(files.values())


def _converse(
    process: Process,
    address: ssh.Address,
    job: _Job,
    wheels: Path | None,
    progress: Callable[[str, int, int], None],
) -> Iterator[messages.Message]:
    """Talks to the agent until all is said; whatever ends it but a broken connection, the device is then tidy."""
    said = _messages(process, address)
    machine = _next(said, messages.Machine)
    yield machine
    if machine.python < (3, 9, 0):
        raise LqFdaError(
            f"The device's Python is too old. Expected 3.9 or later. Received: {'.'.join(map(str, machine.python))}.",
            cure="Update the device's system.",
        )
    line, files = job.request(find_wheel(kind_of(machine.machine, machine.bits), wheels))
    ssh.send(process, address, line)
    try:
        if _next(said, messages.Want).files:
            _push(process, address, files, progress)
        for message in said:
            if isinstance(message, messages.Sign) and message.kind == "end":
                break
            if isinstance(message, messages.Machine | messages.Want):
                raise messages.refused(message.model_dump_json().encode(), "not at this point")
            if isinstance(message, messages.Stage):
                progress(message.text, 0, 1)
            yield message
    except ssh.Unreachable:
        raise
    except BaseException:
        _forget(process)
        raise
    _forget(process)


def _push(
    process: Process, address: ssh.Address, files: list[bytes], progress: Callable[[str, int, int], None]
) -> None:
    total, done = sum(map(len, files)), 0
    for content in files:
        for start in range(0, len(content), 1 << 16):
            block = content[start : start + (1 << 16)]
            ssh.send(process, address, block)
            done += len(block)
            progress("pushing", done, total + 1)  # It is done when the device says so.


def _forget(process: Process) -> None:
    """Has the device stop and remove what it has of the job; as far as it can be reached."""
    try:
        process.send(_line({"forget": True}), _FORGETTING)
        for line in process.lines(_FORGETTING):
            if b'"forgotten"' in line:
                return
    except (Silence, LqFdaError):
        return


def _messages(process: Process, address: ssh.Address) -> Iterator[messages.Message]:
    """What the agent says; that it refuses is an error, and that it falls silent too."""
    welcome = 0
    greeted = False
    try:
        for line in process.lines(_SILENCE):
            if not greeted:
                # What a login prints stands before it.
                greeted = line == GREETING.encode()
                welcome += len(line) + 1
                if welcome > _WELCOME:
                    raise messages.refused(line, f"{welcome} bytes before its greeting")
                continue
            message = messages.parse_message(line)
            if isinstance(message, messages.Failure):
                raise LqFdaError(message.problem, cure=message.cure)
            yield message
    except Silence:
        raise ssh.silent(address, "nothing", _SILENCE) from None
    raise ssh.why_it_ended(process, address)


def _next(said: Iterator[messages.Message], kind: type) -> messages.Message:
    message = next(said)
    while isinstance(message, messages.Sign) and message.kind == "alive":
        message = next(said)
    if not isinstance(message, kind):
        raise messages.refused(message.model_dump_json().encode(), f"{kind.__name__.lower()} expected")
    return message


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
