"""Runs a bundle's 1-bit network in every interpreter that the delegate serves, each in a fresh virtual environment.

    python3.11 export/runtime/matrix.py BUNDLE                      # everything, with wheels that release.py builds
    python3.11 export/runtime/matrix.py BUNDLE --machine aarch64    # one machine
    python3.11 export/runtime/matrix.py BUNDLE --wheels DIR         # wheels that are there already

Two ways lead to the delegate, and a row says which one it went:

- wheel: `pip install lq_fda_runtime-*.whl`, then `lq-fda-runtime selftest BUNDLE`, which runs the int8 and float files
  too;
- library: the runtime's own `load_delegate` opens the library, and the golden outputs are compared here.

Other machines are emulated: Debian's Python for them is unpacked into the work folder, and qemu runs it there, pip
included. Nothing is installed into this system, and nobody has to be root. Needed are Linux on x86_64, a network,
apt-get and dpkg-deb, and Debian's keys (on Ubuntu: `apt-get install debian-archive-keyring`).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
_TOLERANCE = 0.25  # That of lq_fda_runtime/selftest.py, for the same reasons.
_LONGEST = 600  # Seconds for one command.


@dataclasses.dataclass(frozen=True)
class Cell:
    """A runtime to try.

    Args:
        machine: Where.
        package: Its name on PyPI.
        version: What pip is to take; empty for the newest.
        wheel: Whether the delegate comes in its wheel, or is opened as a library.
        others: What else pip is to install.
        impossible: Why there is no such runtime. It is tried all the same, and counts once it can be installed.
    """

    machine: str
    package: str
    version: str = ""
    wheel: bool = False
    others: tuple[str, ...] = ()
    impossible: str = ""


CELLS = (
    # The oldest of all, the oldest and the newest that the wheel admits. LiteRT 1.0 and tflite-runtime want numpy 1.
    Cell("x86_64", "ai-edge-litert", "1.0.0", others=("numpy<2",)),
    Cell("x86_64", "ai-edge-litert", "1.1.1", wheel=True),
    Cell("x86_64", "ai-edge-litert", wheel=True),
    Cell("x86_64", "tflite-runtime", "2.14.0", others=("numpy<2",)),
    Cell("x86_64", "tensorflow"),
    # LiteRT 1.0 has no wheels for ARM.
    Cell("aarch64", "ai-edge-litert", "1.1.0"),
    Cell("aarch64", "ai-edge-litert", "1.1.1", wheel=True),
    Cell("aarch64", "ai-edge-litert", wheel=True),
    Cell("aarch64", "tflite-runtime", "2.14.0", others=("numpy<2",)),
    Cell("armv7l", "tflite-runtime", "2.14.0", wheel=True),
    Cell("armv7l", "ai-edge-litert", impossible="LiteRT has no wheels for 32-bit ARM"),
)
MODULES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow",
}


@dataclasses.dataclass(frozen=True)
class Emulated:
    """A machine that this one emulates.

    Args:
        debian: Debian's name for it.
        qemu: The emulator.
        cpu: The processor that is emulated.
        packages: Debian's packages that a Python needs there, dependencies apart.
        cpuinfo: Of that processor. LiteRT crashes over the /proc/cpuinfo of this machine.
    """

    debian: str
    qemu: str
    cpu: str
    packages: tuple[str, ...]
    cpuinfo: str


EMULATED = {
    "aarch64": Emulated(
        "arm64",
        "qemu-aarch64",
        "cortex-a72",
        ("python3-pip", "libstdc++6"),
        "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n",
    ),
    "armv7l": Emulated(
        "armhf",
        "qemu-arm",
        "cortex-a7",
        # PyPI has neither numpy nor Pillow for this machine.
        ("python3-pip", "libstdc++6", "python3-numpy", "python3-pil"),
        "processor\t: 0\nmodel name\t: ARMv7 Processor rev 5 (v7l)\nBogoMIPS\t: 38.40\n"
        "Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm\n"
        "CPU implementer\t: 0x41\nCPU architecture: 7\nCPU variant\t: 0x0\nCPU part\t: 0xc07\nCPU revision\t: 5\n\n",
    ),
}
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCE = f"deb [signed-by={_KEYS}] http://deb.debian.org/debian bookworm main\n"


class Failure(Exception):
    """Why a cell has no result; `details` are for whoever looks into it."""

    def __init__(self, reason: str, details: str = ""):
        super().__init__(reason)
        self.details = details


def run(*command: str | Path) -> str:
    """Runs a command without this Python's settings; returns what it wrote to stdout.

    Raises:
        Failure: It ended with an error, or not at all.
    """
    dropped = ("PYTHONPATH", "PYTHONHOME", "LQ_FDA_DELEGATE_LIBRARY")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=environment, timeout=_LONGEST, check=False
        )
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Failure(f"no end after {_LONGEST} seconds: {' '.join(map(str, command))}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}: {' '.join(map(str, command))}"
        raise Failure(reason, "\n".join(lines[-30:]))
    return done.stdout


def build_wheels(machines: list[str], python: Path, work: Path) -> Path:
    """The wheels of release.py; returns their folder."""
    run(python, "-m", "venv", work / "tools")
    tool = work / "tools" / "bin" / "python"
    run(tool, "-m", "pip", "install", "--quiet", "build", "auditwheel")
    run(tool, HERE / "release.py", *machines, "--output", work / "wheels")
    return work / "wheels"


def find_wheel(wheels: Path, machine: str) -> Path:
    found = sorted(wheels.glob(f"lq_fda_runtime-*_{machine}.whl"))
    if len(found) != 1:
        raise Failure(f"expected one wheel for {machine} in {wheels}, found {[path.name for path in found]}")
    return found[0]


def unpack_debian(architecture: str, packages: tuple[str, ...], folder: Path) -> Path:
    """Debian packages and what they depend on, unpacked into a folder of their own; returns that folder.

    Raises:
        Failure: A tool or Debian's keys are missing, or a package cannot be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Failure(f"{tool} is missing: run this on Debian or Ubuntu")
    if not _KEYS.is_file():
        raise Failure(f"{_KEYS} is missing: apt-get install debian-archive-keyring")
    for name in ("lists", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.list").write_text(_SOURCE, encoding="utf-8")
    (folder / "status").touch()  # Nothing is installed yet: every dependency is wanted.
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Log": folder,
    }
    apt = ["apt-get", "--quiet", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    run(*apt, "update")
    run(*apt, "install", "--yes", "--download-only", *packages)
    root = folder / "root"
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, root)
    return root


def find_qemu(name: str, work: Path) -> str:
    """This system's emulator, or Debian's in the work folder."""
    installed = shutil.which(f"{name}-static") or shutil.which(name)
    if installed:
        return installed
    if not (work / "qemu").exists():
        unpack_debian("amd64", ("qemu-user-static",), work / "qemu")
    return str(work / "qemu" / "root" / "usr" / "bin" / f"{name}-static")


def emulate(machine: Emulated, work: Path) -> list[str]:
    """Prepares a machine; returns what to put in front of its programs."""
    root = unpack_debian(machine.debian, machine.packages, work / machine.debian)
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(machine.cpuinfo, encoding="utf-8")
    for name in ("blas", "lapack"):  # Debian's links to these are made by scripts, which did not run.
        for library in root.glob(f"usr/lib/*/{name}/lib{name}.so.3"):
            (library.parents[1] / library.name).symlink_to(library)
    return [find_qemu(machine.qemu, work), "-cpu", machine.cpu, "-L", str(root)]


class Matrix:
    """Everything that the cells share.

    Args:
        bundle: What is run.
        wheels: The folder with a wheel for every machine.
        python: The Python of this machine's virtual environments.
        tensorflow: A Python that has TensorFlow.
        work: An empty folder.
    """

    def __init__(self, bundle: Path, wheels: Path, python: Path, tensorflow: Path, work: Path):
        self.bundle, self.wheels, self.python, self.tensorflow, self.work = bundle, wheels, python, tensorflow, work
        self._emulators: dict[str, list[str] | Failure] = {}

    def prepare(self, cell: Cell) -> list[str | Path]:
        """Installs a runtime; returns the command of a Python that has it.

        Raises:
            Failure: It cannot be installed.
        """
        if cell.package == "tensorflow":
            if not shutil.which(self.tensorflow):
                raise Failure(f"{self.tensorflow} is missing: pass --tensorflow PYTHON, or run `make test` once")
            return [self.tensorflow]
        venv = self.work / f"{cell.machine}-{cell.package}-{cell.version or 'newest'}"
        emulator = self._emulator(cell.machine)
        if emulator:
            debian = self.work / EMULATED[cell.machine].debian / "root" / "usr" / "bin" / "python3"
            run(*emulator, debian, "-m", "venv", "--without-pip", "--system-site-packages", venv)
        else:
            run(self.python, "-m", "venv", venv)
        python = [*emulator, venv / "bin" / "python"]
        requirements = [f"{cell.package}=={cell.version}" if cell.version else cell.package, *cell.others]
        if cell.wheel:
            requirements.append(str(find_wheel(self.wheels, cell.machine)))
        run(*python, "-m", "pip", "install", "--quiet", "--no-compile", *requirements)
        return python

    def check(self, cell: Cell, python: list[str | Path]) -> str:
        """Compares golden inputs and outputs; returns what was found.

        Raises:
            Failure: They differ, or the runtime or the delegate fails.
        """
        if cell.wheel:
            command = python[-1].with_name("lq-fda-runtime")
            results = json.loads(run(*python, command, "selftest", self.bundle, "--json"))
            return ", ".join(found(**result) for result in results)
        with zipfile.ZipFile(find_wheel(self.wheels, cell.machine)) as archive:
            library = archive.extract("lq_fda_runtime/liblq_fda_delegate.so", self.work / f"library-{cell.machine}")
        result = json.loads(run(*python, __file__, "--probe", MODULES[cell.package], library, self.bundle))
        if not result["difference"] <= _TOLERANCE:
            raise Failure(f"outputs differ: {found(**result)}; tolerance {_TOLERANCE}")
        return found(**result)

    def _emulator(self, machine: str) -> list[str]:
        """What to put in front of a program for a machine; prepared once, and if that fails, it fails for all cells."""
        if machine not in EMULATED:
            return []
        if machine not in self._emulators:
            try:
                self._emulators[machine] = emulate(EMULATED[machine], self.work)
            except Failure as failure:
                self._emulators[machine] = failure
        emulator = self._emulators[machine]
        if isinstance(emulator, Failure):
            raise emulator
        return emulator


def found(file: str, images: int, same_top1: int, difference: float, **_: object) -> str:
    """The difference in units of the outputs' root mean square, and for how many images the same class wins."""
    return f"{Path(file).stem} {difference:.1e} ({same_top1}/{images})"


def probe(module_name: str, library: str, bundle: str) -> None:
    """Runs in the Python under test, which has numpy and the runtime alone: prints how far the 1-bit file is off."""
    import numpy as np

    module = importlib.import_module(module_name)
    if module_name == "tensorflow":
        module = module.lite
        load_delegate = module.experimental.load_delegate
    else:
        load_delegate = module.load_delegate
    with np.load(f"{bundle}/golden.npz") as golden:
        inputs, expected = golden["inputs"], golden["outputs_model"]
    interpreter = module.Interpreter(
        model_path=f"{bundle}/model.tflite", experimental_delegates=[load_delegate(library, {"num_threads": 1})]
    )
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = np.empty_like(expected)
    for index in range(len(inputs)):
        interpreter.set_tensor(entry, inputs[index : index + 1])
        interpreter.invoke()
        outputs[index] = interpreter.get_tensor(result)[0]
    difference = float(np.abs(outputs - expected).max() / np.sqrt(np.mean(expected**2)))
    same = int((outputs.argmax(1) == expected.argmax(1)).sum())
    print(json.dumps({"file": "model.tflite", "images": len(inputs), "same_top1": same, "difference": difference}))


def try_cell(matrix: Matrix, cell: Cell) -> bool | None:
    """Prints a cell's row; returns whether it passed, None where it is impossible."""
    start, version, details = time.monotonic(), cell.version or "-", ""
    try:
        python = matrix.prepare(cell)
        code = f"from importlib import metadata; print(metadata.version({cell.package!r}))"
        version = run(*python, "-c", code).strip()
        result, passed = f"pass: {matrix.check(cell, python)}", True
    except Failure as failure:
        result, passed, details = f"FAIL: {failure}", False, failure.details
        if cell.impossible and "No matching distribution" in str(failure):
            result, passed, details = f"impossible: {cell.impossible}", None, ""
    way = "wheel" if cell.wheel else "library"
    name = "tf.lite" if cell.package == "tensorflow" else cell.package
    print_row(name, version, cell.machine, way, f"{time.monotonic() - start:.1f}", result)
    if details:
        print(details, file=sys.stderr, flush=True)
    return passed


def print_row(runtime: str, version: str, machine: str, way: str, seconds: str, result: str) -> None:
    print(f"{runtime:<14}  {version:<7}  {machine:<7}  {way:<7}  {seconds:>7}  {result}", flush=True)


def main() -> None:
    if sys.argv[1:2] == ["--probe"]:
        probe(*sys.argv[2:])
        return
    introduction, _, rest = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=introduction, epilog=f"examples:\n{rest}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    machines = list(dict.fromkeys(cell.machine for cell in CELLS))
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a folder that `lq-fda convert` made")
    parser.add_argument("--machine", action="append", choices=machines, help="this one alone; may be repeated")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="wheels of release.py; built when not given")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="for this machine; 3.9 to 3.11 has all runtimes"
    )
    parser.add_argument(
        "--tensorflow", type=Path, default=HERE.parents[1] / ".venv" / "bin" / "python", metavar="PYTHON",
        help="a Python that has TensorFlow (default: that of the repository's .venv)",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, metavar="DIR", help="an empty folder, kept (default: a temporary one)")
    arguments = parser.parse_args()
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(f"Expected Linux on x86_64. Received: {platform.system()} on {platform.machine()}.")
    if not (arguments.bundle / "model.tflite").is_file():
        sys.exit(f"This is no bundle: it holds no model.tflite. Received: {str(arguments.bundle)!r}.")
    if arguments.work and arguments.work.exists() and any(arguments.work.iterdir()):
        sys.exit(f"The work folder is not empty. Received: {str(arguments.work)!r}.")
    with tempfile.TemporaryDirectory(prefix="lq-fda-matrix-") as temporary:
        work = (arguments.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        chosen = arguments.machine or machines
        try:
            wheels = arguments.wheels or build_wheels(chosen, arguments.python, work)
        except Failure as failure:
            sys.exit(f"{failure.details}\nThe wheels could not be built: {failure}.")
        matrix = Matrix(arguments.bundle.resolve(), wheels.resolve(), arguments.python, arguments.tensorflow, work)
        print_row("runtime", "version", "machine", "way", "seconds", "result: differences from the golden outputs")
        results = [try_cell(matrix, cell) for cell in CELLS if cell.machine in chosen]
    print(f"\n{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(1 if False in results else 0)


if __name__ == "__main__":
    main()
