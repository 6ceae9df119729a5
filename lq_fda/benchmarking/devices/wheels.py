"""Finding the wheel of lq-fda-runtime for a device."""

import io
import platform
import struct
import zipfile
from email import message_from_string
from importlib import metadata
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from lq_fda.errors import LqFdaError, reason

_PACKAGE, _MODULE = "lq-fda-runtime", "lq_fda_runtime"
# By the kernel's name of the machine and the bits of its Python: a 32-bit system may run on a 64-bit kernel.
_KINDS = {
    ("x86_64", 64): "x86_64",
    ("aarch64", 64): "aarch64",
    ("aarch64", 32): "armv7l",
    ("armv8l", 32): "armv7l",
    ("armv7l", 32): "armv7l",
}


def kind_of(machine: str, bits: int) -> str:
    """The last part of the names of the wheels that a machine takes.

    ```python
    from lq_fda.benchmarking.devices.wheels import kind_of

    assert kind_of("aarch64", 32) == "armv7l"  # a 32-bit Raspberry Pi OS on a 64-bit kernel
    ```

    Raises:
        LqFdaError: There are no wheels for it.
    """
    kind = _KINDS.get((machine, bits))
    if kind is None:
        raise LqFdaError(
            f"There is no runtime for this device. Expected one of {sorted(set(_KINDS.values()))}: ARMv7 with NEON (a "
            f"Raspberry Pi 2 or newer), 64-bit ARM or x86-64. Received: machine={machine!r} with a {bits}-bit Python.",
            cure="Choose another device.",
        )
    return kind


def find_wheel(kind: str, wheels: Path | None) -> tuple[str, bytes]:
    """The name and content of a wheel for a kind of machine.

    Args:
        kind: What `kind_of` says of the device.
        wheels: A wheel, or a folder with wheels, of which the newest that fits is taken; without it, the package that
            is installed here, for devices of this machine's kind.

    Raises:
        LqFdaError: There is none.
    """
    if wheels is None:
        return _pack_installed(kind)
    candidates = sorted(wheels.glob("*.whl")) if wheels.is_dir() else [wheels]
    fitting = [path for path in candidates if _fits(path, kind)]
    if not fitting:
        raise _missing(kind, f"{[path.name for path in candidates]} in {str(wheels)!r}")
    newest = max(fitting, key=lambda path: parse_wheel_filename(path.name)[1])
    try:
        return newest.name, newest.read_bytes()
    except OSError as error:
        raise _missing(kind, f"{str(newest)!r} ({error.strerror or reason(error)})") from error


def _fits(path: Path, kind: str) -> bool:
    try:
        name, _, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return False
    return name == _PACKAGE and any(tag.platform.endswith(f"_{kind}") for tag in tags)


def _missing(kind: str, received: str) -> LqFdaError:
    return LqFdaError(
        f"There is no wheel of {_PACKAGE} for the device. Expected lq_fda_runtime-*_{kind}.whl. Received: {received}.",
        cure=f"Make it: `pip install build auditwheel && python export/runtime/release.py {kind}`, "
        "and pass --wheels export/runtime/dist.",
    )


def _pack_installed(kind: str) -> tuple[str, bytes]:
    """The package that is installed here, made a wheel again."""
    here = platform.machine()
    if _KINDS.get((here, 8 * struct.calcsize("P"))) != kind:
        raise _missing(kind, f"no --wheels, and this machine is {here}")
    try:
        installed = metadata.distribution(_PACKAGE)
    except metadata.PackageNotFoundError:
        raise _missing(kind, f"no --wheels, and {_PACKAGE} is not installed here") from None
    if not any(file.parts[0] == _MODULE and file.suffix == ".so" for file in installed.files or ()):
        raise _missing(kind, "no --wheels, and the package is installed here without its library, as by --editable")
    return pack(installed)


def pack(installed: metadata.Distribution) -> tuple[str, bytes]:
    """The name and content of a wheel, of the files that were installed from one."""
    tags = [tag.split("-") for tag in message_from_string(installed.read_text("WHEEL")).get_all("Tag")]
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))  # Python, ABI, platform.
    # Not the commands in bin/, nor what was made when it was installed.
    kept = [file for file in installed.files if ".." not in file.parts and file.suffix != ".pyc"]
    kept = [file for file in kept if file.name not in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")]
    (folder,) = {file.parts[0] for file in kept if file.name == "METADATA" and file.parts[0].endswith(".dist-info")}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in kept:
            # Without dates: the same bytes each time.
            archive.writestr(zipfile.ZipInfo(str(file)), file.read_binary())
        rows = [f"{file},{file.hash.mode}={file.hash.value},{file.size}" for file in kept]
        archive.writestr(zipfile.ZipInfo(f"{folder}/RECORD"), "\n".join([*rows, f"{folder}/RECORD,,", ""]))
    return f"{folder.removesuffix('.dist-info')}-{tag}.whl", content.getvalue()
