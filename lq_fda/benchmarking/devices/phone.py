"""A measurement on a phone: the bundle into the demo app's folder, the app started by its door, the record back."""

import dataclasses
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pydantic

from lq_fda.artifacts import BenchmarkRecord, Bundle, Condition, parse_json
from lq_fda.benchmarking.devices.adb import APP, BUNDLE, FOLDER, PUSHED, Adb, Unplugged, find_adb
from lq_fda.benchmarking.devices.exchange import Threads, bundle_files, require_asked, require_complete
from lq_fda.benchmarking.devices.messages import parse_record, refused
from lq_fda.benchmarking.latency import STANDARD, Protocol
from lq_fda.errors import LqFdaError, printable

_NAME = re.compile(r"adb(?::(?P<serial>[A-Za-z0-9][A-Za-z0-9._:-]{0,99}))?")
_DONE, _RECORDS = f"{FOLDER}/benchmark.done", f"{FOLDER}/benchmark.jsonl"
_TIDY = f"rm -rf {PUSHED} {FOLDER}/{BUNDLE} {_DONE} {_RECORDS}"
_POLL = 3.0  # Seconds; asking disturbs the phone a little.
_PATIENCE = 3600.0  # Seconds that the standard protocol may take; a large network on an old phone takes minutes.
# Seconds before the second, third, ... try to get back to a phone.
_WAITS = (2, 4, 8, 15, 30, 60, 60)
_CLOCKS = "cat /sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq"
_GOVERNOR = "cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


class _Done(pydantic.BaseModel):
    """What the app writes when it has ended."""

    model_config = pydantic.ConfigDict(extra="forbid")

    status: str
    records: int = 0
    message: str = ""


@dataclasses.dataclass(frozen=True)
class AdbDevice:
    """A phone with the demo app, and USB debugging on.

    The app measures with one thread and with all. Keep the screen on and unlocked: Android slows down what nobody sees.

    Args:
        name: `adb`, or `adb:SERIAL` where there are several phones.

    ```python
    from lq_fda.benchmarking.devices import AdbDevice

    assert AdbDevice("adb:emulator-5554").name == "adb:emulator-5554"
    ```

    Raises:
        LqFdaError: That is no such name.
    """

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LqFdaError(
                f"This names no phone. Expected adb or adb:SERIAL. Received: {self.name!r}.",
                cure="Take the serial from `adb devices`.",
            )

    def measure(
        self,
        bundle: Bundle,
        *,
        threads: Threads = (1, "all"),
        protocol: Protocol = STANDARD,
        progress: Callable[[str, int, int], None] = lambda step, done, total: None,
    ) -> Iterator[BenchmarkRecord]:
        """Yields the records that the app wrote; if the phone is unplugged, the app works on meanwhile.

        `before` and `after` are of the whole measurement, of both thread counts; the temperature is the battery's.

        Args:
            bundle: Its files are compared with the manifest here, and by the app.
            threads: One and all, as the app does it.
            protocol: Its rounds; the rest as the app does it.
            progress: Called with the step, what is done of it and how much there is.

        Raises:
            LqFdaError: adb, the phone or the app is missing, the phone refuses or is full, the app says what is wrong,
                or the phone sends what it should not.
        """
        _require_the_apps_own(threads, protocol)
        files = bundle_files(bundle)
        adb = Adb(find_adb(), _NAME.fullmatch(self.name)["serial"])
        if not adb.says(f"pm path {APP}").startswith("package:"):
            raise LqFdaError(
                f"The demo app is not on the phone. Expected {APP}. Received: {printable(adb.serial)}.",
                cure="Install it: `make android BUNDLE=...`, then "
                f"`adb -s {printable(adb.serial)} install build/android/lq_fda_demo.apk`, and start it once.",
            )
        try:
            yield from self._records(adb, bundle, files, protocol, progress)
        except Unplugged:
            raise  # The app works on: the same call again fetches what is there by then.
        except BaseException:
            adb.says(f"am force-stop {APP}; {_TIDY}")
            raise
        adb.says(_TIDY)

    def _records(
        self,
        adb: Adb,
        bundle: Bundle,
        files: dict[str, bytes],
        protocol: Protocol,
        progress: Callable[[str, int, int], None],
    ) -> Iterator[BenchmarkRecord]:
        before = after = Condition()
        records = _kept(adb, bundle, protocol)
        if records is None:
            progress("pushing", 0, 1)
            _push(adb, files)
            before = _condition(adb)
            _start(adb, protocol.rounds)
            progress("measuring", 0, 1)
            _wait(adb, _PATIENCE * max(1, protocol.rounds / STANDARD.rounds), progress)
            after = _condition(adb)
            records = _fetch(adb, bundle, protocol)
        for record in records:
            around = {
                "before": _with_status(before, record, "thermal_before"),
                "after": _with_status(after, record, "thermal_after"),
            }
            yield record.model_copy(update={"device": self.name, **around})


def _require_the_apps_own(threads: Threads, protocol: Protocol) -> None:
    own = STANDARD
    if tuple(threads) != (1, "all") or (protocol.warmups, protocol.settle) != (own.warmups, own.settle):
        raise LqFdaError(
            f"The app measures with one thread and with all, {own.warmups} warm-ups and settle={own.settle}. "
            f"Received: threads={list(threads)}, warmups={protocol.warmups}, settle={protocol.settle}.",
            cure="Leave these out for a phone: `--threads 1,all`.",
        )


def _push(adb: Adb, files: dict[str, bytes]) -> None:
    """Since Android 11 not every phone lets `adb push` into an app's folder, but its shell may copy."""
    adb.shell(_TIDY)
    with tempfile.TemporaryDirectory() as folder:
        staging = Path(folder) / BUNDLE
        staging.mkdir()
        for name, content in files.items():
            (staging / name).write_bytes(content)
        adb.push(staging, PUSHED)
    adb.shell(f"mkdir -p {FOLDER} && cp -r {PUSHED} {FOLDER}/{BUNDLE}")


def _start(adb: Adb, rounds: int) -> None:
    said = adb.shell(
        f"am start -n {APP}/.FromAdb --es bundle {BUNDLE} --ez benchmark true --ei rounds {int(rounds)}"
    )  # Older phones' `am` complains on standard output, and succeeds.
    if "Error" in said or "Exception" in said:
        raise LqFdaError(
            f"The app does not start. Received: {printable(' '.join(said.split())[:300])}.",
            cure="Install the app of this version: `adb install -r build/android/lq_fda_demo.apk`.",
        )


def _wait(adb: Adb, patience: float, progress: Callable[[str, int, int], None]) -> None:
    """Until the app has ended; one that has vanished without a word has crashed, one that never ends hangs."""
    waits, deadline = list(_WAITS), time.monotonic() + patience
    while True:
        try:
            if adb.says(f"cat {_DONE}"):
                return
            if not adb.says(f"pidof {APP}").strip() and not adb.says(f"cat {_DONE}"):
                raise LqFdaError(
                    "The app has ended without a result. Expected benchmark.done. Received: nothing.",
                    cure="Look into `adb logcat` for the reason, and run the same command again.",
                )
            if time.monotonic() > deadline:
                raise LqFdaError(
                    f"The app does not come to an end. Expected a result within {patience / 60:.0f} minutes. "
                    "Received: none, and the app still runs.",
                    cure="Keep the screen on and unlocked, ask for fewer `--rounds`, and look into `adb logcat`.",
                )
            waits, wait = list(_WAITS), _POLL
        except Unplugged:
            if not waits:
                raise
            wait = waits.pop(0)
            progress(f"phone unplugged, next try in {wait} s", 0, 1)
        time.sleep(wait)


def _kept(adb: Adb, bundle: Bundle, protocol: Protocol) -> list[BenchmarkRecord] | None:
    """The records of this very measurement, if an earlier call has lost the phone before it could fetch them."""
    if not adb.says(f"cat {_DONE}"):
        return None
    try:
        records = _fetch(adb, bundle, protocol)
    except Unplugged:
        raise
    except LqFdaError:
        return None
    return records if all(f"--es bundle {BUNDLE} " in record.command for record in records) else None


def _fetch(adb: Adb, bundle: Bundle, protocol: Protocol) -> list[BenchmarkRecord]:
    said = adb.shell(f"cat {_DONE}")
    try:
        done = _Done.model_validate(parse_json(said))
    except (ValueError, RecursionError) as error:
        raise refused(said.encode(), "not what the app writes") from error
    if done.status != "ok":
        raise LqFdaError(f"The app could not measure: {printable(done.message[:500])}", cure="See what it says.")
    records = [parse_record(line.encode()) for line in adb.shell(f"cat {_RECORDS}").splitlines()]
    for record in records:
        require_asked(record, bundle, (1, "all"), protocol)
    if len(records) != done.records:
        raise refused(said.encode(), f"{len(records)} records")
    require_complete(records, bundle, (1, "all"))
    return records


def _condition(adb: Adb) -> Condition:
    """As far as Android lets adb's shell see it."""
    clocks = [int(line) / 1000 for line in adb.says(_CLOCKS).splitlines() if re.fullmatch(r"\d{1,9}", line.strip())]
    battery = re.search(r"^ *temperature: (-?\d{1,4})\s*$", adb.says("dumpsys battery"), re.M)
    governor = adb.says(_GOVERNOR).strip()
    return Condition(
        governor=governor if re.fullmatch(r"[a-z_]{1,40}", governor) else "",
        frequency_mhz=(round(min(clocks)), round(max(clocks))) if clocks else None,
        temperature_c=int(battery[1]) / 10 if battery else None,
    )


def _with_status(condition: Condition, record: BenchmarkRecord, field: str) -> Condition:
    """Adds what the app itself knows: Android's thermal status around each run."""
    status = record.environment.get(field, "")
    return condition.model_copy(update={"throttling": status if isinstance(status, str) else ""})
