"""Runs Android's TFLite and the delegate on this Linux: by C on every ABI, and by Java on x86_64.

What stands in for Android's system is made by standins.py; other processors are emulated by qemu.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import debian  # noqa: E402
import jdk  # noqa: E402
import maven  # noqa: E402
import native  # noqa: E402
import standins  # noqa: E402
import zig  # noqa: E402
from abis import ABIS, Abi  # noqa: E402
from commands import run  # noqa: E402

_LONGEST = 240  # Seconds for one process.


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a process ended.

    Args:
        code: Its exit code; negative if a signal ended it.
        errors: What it wrote to stderr.
        outputs: The model's outputs, float32, one input's after the other's; empty if it gave none.
        answer: The delegate's `report`, and the `isas` that it has; empty without it.
    """

    code: int
    errors: str
    outputs: bytes
    answer: Mapping


@dataclasses.dataclass(frozen=True)
class Host:
    """Processes with the libraries of one ABI.

    Args:
        abi: Which.
        libraries: The folder with TFLite and the delegate, as in an APK.
        standins: The folder with what stands in for Android's libraries.
        program: run_model.c, compiled.
        classes: Folders and archives of Java classes; none but on x86_64.
    """

    abi: Abi
    libraries: Path
    standins: Path
    program: Path
    classes: tuple[Path, ...]

    def run_c(
        self, model: Path, inputs: bytes, *, isa: str = "auto", threads: int = 2, delegate: bool = True
    ) -> Outcome:
        """Runs a model by TFLite's C interface.

        Args:
            model: A `.tflite` file.
            inputs: Any number of inputs, one after the other, as the model stores them.
            isa: The delegate's instruction set.
            threads: TFLite's and the delegate's.
            delegate: Whether there is one.
        """
        library = self.libraries / "liblq_fda_delegate.so" if delegate else "-"
        command = [self.program, self.libraries / "libtensorflowlite_jni.so", library, model]
        return self._run([*self._emulator(), *command], inputs, [str(threads), isa])

    def run_java(
        self, model: Path, inputs: bytes, *, isa: str = "auto", threads: int = 2, delegate: bool = True
    ) -> Outcome:
        """The same by TFLite's Java classes and the delegate's JNI functions."""
        return self._run([*self._java("RunModel"), model], inputs, [str(threads), isa if delegate else "-"])

    def java(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Runs a class of java/ in a virtual machine that watches how JNI is used.

        Returns:
            Its exit code, and what it wrote.
        """
        done = subprocess.run(
            [*self._java(name, "-Xcheck:jni"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"LD_LIBRARY_PATH": str(self.standins), **(environment or {})},
            timeout=_LONGEST,
            check=False,
        )
        return done.returncode, done.stdout

    def _java(self, name: str, *flags: str) -> list[str | Path]:
        path = ":".join(map(str, self.classes))
        found = (f"-Djava.library.path={self.libraries}", f"-XX:ErrorFile={self.libraries.parent / 'crash.log'}")
        return [jdk.program("java"), *flags, *found, "-cp", path, name]

    def _emulator(self) -> list[str]:
        return [*self.abi.qemu, "-E", f"LD_LIBRARY_PATH={self.standins}"] if self.abi.qemu else []

    def _run(self, command: Sequence[str | Path], inputs: bytes, options: Sequence[str]) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            given, made = Path(folder) / "inputs", Path(folder) / "outputs"
            given.write_bytes(inputs)
            done = subprocess.run(
                [*command, given, made, *options],
                capture_output=True,
                text=True,
                errors="replace",
                # An emulator must not find the stand-ins of another processor itself.
                env={} if self.abi.qemu else {"LD_LIBRARY_PATH": str(self.standins)},
                timeout=_LONGEST,
                check=False,
            )
            outputs = made.read_bytes() if made.is_file() else b""
        return Outcome(done.returncode, done.stderr, outputs, json.loads(done.stdout) if done.stdout else {})


def prepare(name: str, delegate: Path, folder: Path) -> Host:
    """Makes what a process with the libraries of an ABI needs.

    Args:
        name: The ABI.
        delegate: The delegate for it.
        folder: Where everything goes.

    Raises:
        ToolError: A package of the system is missing, and cannot be installed from here.
    """
    abi, libraries = ABIS[name], folder / "jni"
    if abi.qemu:
        debian.need("qemu-user", abi.qemu[0])
        debian.need(*abi.libc)
    libraries.mkdir(parents=True, exist_ok=True)
    tflite = native.tflite_library(name)
    for library in (tflite, delegate):
        (libraries / library.name).write_bytes(library.read_bytes())
    return Host(
        abi,
        libraries,
        standins.make(abi, [tflite, delegate], folder / "stand-ins"),
        zig.compile_c(abi.host, [HERE / "run_model.c"], folder / "run_model", "-ldl"),
        () if abi.qemu else _classes(folder / "classes"),
    )


def _classes(folder: Path) -> tuple[Path, ...]:
    archives = [
        maven.unpack(fetch(native.BUILD / "maven"), "classes.jar", folder / f"{fetch.__name__}.jar")
        for fetch in (maven.tensorflow_lite, maven.tensorflow_lite_api)
    ]
    path, own = ":".join(map(str, archives)), folder / "own"
    sources = sorted((HERE / "java").rglob("*.java"))
    run(
        [jdk.program("javac"), "--release", "17", "-Xlint:all", "-Werror", "-cp", path, "-d", own, *sources],
        doing="compiling the Java classes of the host tests",
    )
    return (own, *archives)
