"""From the names of devices to records of all of them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol as Interface

from lq_fda.artifacts import BenchmarkRecord, Bundle, usable_cores
from lq_fda.benchmarking.devices.exchange import Threads
from lq_fda.benchmarking.devices.phone import AdbDevice
from lq_fda.benchmarking.devices.remote import SshDevice
from lq_fda.benchmarking.latency import HOST, STANDARD, Protocol, benchmark
from lq_fda.errors import LqFdaError


class Device(Interface):
    """Something that can run a bundle."""

    name: str

    def measure(
        self,
        bundle: Bundle,
        *,
        threads: Threads,
        protocol: Protocol,
        progress: Callable[[str, int, int], None],
    ) -> Iterator[BenchmarkRecord]:
        """Yields the records as they arrive."""


@dataclasses.dataclass(frozen=True)
class HostDevice:
    """This machine; here LCE's own interpreter is timed, too, where it is installed."""

    name: str = HOST

    def measure(
        self,
        bundle: Bundle,
        *,
        threads: Threads = (1, "all"),
        protocol: Protocol = STANDARD,
        progress: Callable[[str, int, int], None] = lambda step, done, total: None,
    ) -> Iterator[BenchmarkRecord]:
        """Yields the records of `lq_fda.benchmarking.benchmark`.

        Raises:
            LqFdaError: As there.
        """
        counts = dict.fromkeys(usable_cores() if count == "all" else count for count in threads)
        yield from benchmark(
            bundle,
            threads=list(counts),
            protocol=protocol,
            progress=lambda done, total: progress("rounds", done, total),
        )


def open_device(name: str, *, wheels: Path | None = None) -> Device:
    """The device that a name means. Nothing is connected yet.

    Args:
        name: `host`, `ssh://user@host:port`, `adb` or `adb:SERIAL`.
        wheels: For ssh: a wheel of lq-fda-runtime, or a folder with wheels.

    ```python
    from lq_fda.benchmarking.devices import open_device

    assert open_device("ssh://pi@raspberrypi.local:2222").name == "ssh://pi@raspberrypi.local:2222"
    ```

    Raises:
        LqFdaError: It means none.
    """
    if name == HOST:
        return HostDevice()
    if name.startswith("ssh:"):
        return SshDevice(name, wheels)
    if name.partition(":")[0] == "adb":
        return AdbDevice(name)
    raise LqFdaError(
        f"This names no device. Expected host, ssh://user@host:port, adb or adb:SERIAL. Received: {name!r}.",
        cure="See `lq-fda benchmark --help`.",
    )


@dataclasses.dataclass(frozen=True)
class Measured:
    """What several devices gave.

    Args:
        records: Of all devices, also of those that failed later.
        failures: What went wrong, by the device's name.
    """

    records: list[BenchmarkRecord]
    failures: dict[str, LqFdaError]

    def require_all(self) -> None:
        """Refuses a result that lacks a device.

        Raises:
            LqFdaError: A device failed.
        """
        if self.failures:
            *others, (name, last) = self.failures.items()
            before = "".join(f"{name}: {error}\n" for name, error in others)
            raise LqFdaError(f"{before}{name}: {last.problem}", cure=last.cure) from last


def measure_all(
    bundle: Bundle,
    devices: Sequence[Device],
    *,
    threads: Threads = (1, "all"),
    protocol: Protocol = STANDARD,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Measured:
    """Measures a bundle on one device after the other; that one fails does not keep the others from it.

    Ctrl-C ends it with what has been measured by then.

    Args:
        bundle: Its files are compared with the manifest first.
        devices: From `open_device`.
        threads: Thread counts; `all` are those that a device has.
        protocol: How often to run.
        progress: Called with the step, what is done of it and how much there is.

    ```python
    from lq_fda.benchmarking.devices import measure_all, open_device

    def compare(bundle):  # a lq_fda.artifacts.Bundle
        return measure_all(bundle, [open_device("host"), open_device("ssh://pi@raspberrypi.local")]).records
    ```
    """
    measured = Measured([], {})
    for device in devices:
        prefix = f"{device.name}: " if len(devices) > 1 else ""
        try:
            for record in device.measure(
                bundle,
                threads=threads,
                protocol=protocol,
                progress=lambda step, done, total, prefix=prefix: progress(prefix + step, done, total),
            ):
                measured.records.append(record)
        except LqFdaError as error:
            measured.failures[device.name] = error
        except KeyboardInterrupt:
            if not measured.records:
                raise
            measured.failures[device.name] = LqFdaError(
                "Somebody pressed Ctrl-C. What had been measured until then is kept.", cure="Measure the rest again."
            )
            break
    return measured
