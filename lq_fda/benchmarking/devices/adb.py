"""A phone, by way of the demo app and `adb`.

`adb shell` joins its arguments and gives them to the phone's shell. So nothing goes there but the constants of this
module, and the number of rounds.
"""

import os
import shutil
from pathlib import Path

from lq_fda.benchmarking.devices.processes import Process, Silence
from lq_fda.errors import LqFdaError, printable

APP = "org.lqfda.demo"
FOLDER = f"/sdcard/Android/data/{APP}/files"
BUNDLE = "lq_fda_bundle"
PUSHED = f"/data/local/tmp/{BUNDLE}"
_TIMEOUT = 120.0
_LARGEST = 1 << 20
_PROGRAM = Path("platform-tools") / ("adb.exe" if os.name == "nt" else "adb")
_OWN = ("adb:", "error:")  # How adb's own complaints begin; others are of the phone's shell.
# What adb says when the phone is not there just now.
_GONE = ("no devices", "not found", "device offline", "device still", "closed", "protocol fault", "connection reset")


class Unplugged(LqFdaError):
    """The phone is not there now: another try may succeed."""


def find_adb() -> str:
    """The program: that on the PATH, else that of the Android SDK.

    Raises:
        LqFdaError: There is none.
    """
    found = shutil.which("adb")
    if found:
        return found
    for variable in ("ANDROID_HOME", "ANDROID_SDK_ROOT"):
        path = Path(os.environ.get(variable, "")) / _PROGRAM
        if os.environ.get(variable) and path.is_file():
            return str(path)
    raise LqFdaError(
        "adb is missing. Expected it on the PATH, or in platform-tools of the folder $ANDROID_HOME.",
        cure="Install it: `sudo apt install adb`, or Android's SDK platform tools.",
    )


class Adb:
    """Commands to one phone.

    Args:
        program: adb.
        serial: Which phone; None if there is but one.

    Raises:
        LqFdaError: There is no phone, more than one, or it does not let this machine in.
    """

    def __init__(self, program: str, serial: str | None):
        self._program = program
        self.serial = _choose(self.phones(), serial)

    def phones(self) -> dict[str, str]:
        """The state of every phone by its serial: `device` is one that can be used."""
        code, said, complaints = self._run([self._program, "devices"])
        if code:
            raise _failed("devices", complaints or said)
        pairs = (line.partition("\t") for line in said.splitlines())  # No other line has a tab.
        return {serial: state.strip() for serial, tab, state in pairs if tab}

    def shell(self, command: str) -> str:
        """What a command prints on the phone.

        Args:
            command: A constant: the phone's shell reads it.

        Raises:
            Unplugged: The phone is not there.
            LqFdaError: The command failed; the phone's words are in it.
        """
        return self._checked("shell", command)

    def says(self, command: str) -> str:
        """What a command prints on the phone, also if it fails there.

        Raises:
            Unplugged: The phone is not there.
            LqFdaError: It does not let this machine in any more.
        """
        code, said, complaints = self._run([self._program, "-s", self.serial, "shell", command])
        if code and complaints.startswith(_OWN):
            raise _failed(f"shell {command}", complaints)
        return said

    def push(self, folder: Path, target: str) -> None:
        """Copies a folder to a place where there is none.

        Raises:
            Unplugged: The phone is not there.
            LqFdaError: It does not fit, or may not be written.
        """
        self._checked("push", str(folder), target)

    def _checked(self, *arguments: str) -> str:
        code, said, complaints = self._run([self._program, "-s", self.serial, *arguments])
        if code:
            raise _failed(" ".join(arguments), complaints or said)
        return said

    @staticmethod
    def _run(command: list[str]) -> tuple[int, str, str]:
        content = b""
        with Process(command) as process:
            try:
                for block in process.blocks(_TIMEOUT):
                    content += block
                    if len(content) > _LARGEST:
                        raise LqFdaError(
                            f"The phone sent too much. Expected less than {_LARGEST >> 20} MiB. "
                            f"Received: more, from {command[3:]}.",
                            cure="See that the phone is the one that you mean.",
                        )
            except Silence:
                raise Unplugged(
                    f"The phone does not answer. Received: nothing in {_TIMEOUT:.0f} seconds from {command[1:]}.",
                    cure="Unlock it, plug it in anew, and run the same command again.",
                ) from None
            return process.wait(), content.decode("utf-8", "replace"), process.complaints()


def _choose(phones: dict[str, str], serial: str | None) -> str:
    """The serial of the one phone that is meant."""
    listed = ", ".join(f"{printable(name)} ({printable(state)})" for name, state in phones.items()) or "none"
    if not phones:
        raise LqFdaError(
            "adb finds no phone. Expected one that is plugged in, with USB debugging on.",
            cure="Plug it in, switch on USB debugging among its developer options, and see `adb devices`.",
        )
    if serial is None:
        if len(phones) > 1:
            raise LqFdaError(
                f"There is more than one phone. Expected one, or its serial. Received: {listed}.",
                cure=f"Say which: --device adb:{printable(next(iter(phones)))}.",
            )
        (serial,) = phones
    elif serial not in phones:
        raise LqFdaError(
            f"adb does not find that phone. Expected one of: {listed}. Received: {serial!r}.",
            cure="Plug it in, and see `adb devices`.",
        )
    state = phones[serial]
    if state == "device":
        return serial
    cures = {
        "unauthorized": "Unlock the phone and allow USB debugging from this computer in the dialog that it shows.",
        "authorizing": "Unlock the phone and allow USB debugging from this computer in the dialog that it shows.",
        "offline": "Unplug it and plug it in again, or `adb reconnect`.",
    }
    raise LqFdaError(
        f"The phone cannot be used. Expected the state 'device'. Received: {printable(serial)} ({printable(state)}).",
        cure=cures.get(state, "See https://developer.android.com/tools/adb about this state."),
    )


def _failed(what: str, said: str) -> LqFdaError:
    shown = printable(" ".join(said.split())[:300]) or "nothing"
    lower = said.lower()
    if "no space left on device" in lower:
        return LqFdaError(
            f"The phone is full: the bundle does not fit. What was sent has been removed. Received: {shown}.",
            cure="Free some space there, and run the same command again.",
        )
    if "unauthorized" in lower:
        return LqFdaError(
            f"The phone does not let this computer in any more. Received: {shown}.",
            cure="Unlock the phone and allow USB debugging from this computer in the dialog that it shows.",
        )
    if said.startswith(_OWN) and any(word in lower for word in _GONE):
        return Unplugged(
            f"The phone is not there any more. Received: {shown}.",
            cure="Plug it in again, and run the same command again: it goes on where it was.",
        )
    return LqFdaError(f"The phone refuses. Received: {shown} from `adb {what}`.", cure="See what it says.")
