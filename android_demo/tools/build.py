"""Builds the app and the library without Gradle, without an SDK and without the NDK.

python android_demo/tools/build.py all --bundle runs/demo/bundle

    classes   compiles
    test      compiles and runs the tests that need no phone
    aar       build/android/lq_fda_runtime.aar, its sources and its pom; without tests
    apk       build/android/lq_fda_demo.apk, signed; without tests
    all       all of it

Needs a JDK 17, Maven, Python 3.11 with what `tools/versions.py requirements` lists, and Debian's aapt and apksigner;
what is a package of Debian's it installs by itself if it may. `make demo DEMO=runs/demo` makes a bundle. One build
runs at a time.

A release key comes from the environment: LQ_FDA_KEYSTORE (a file), LQ_FDA_KEY_ALIAS, LQ_FDA_KEYSTORE_PASSWORD and, if
it is another one, LQ_FDA_KEY_PASSWORD. Without them the APK is signed by a key that is made on the spot.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import assets
import debian
import lock
import native
import package
import projects
import resources
import shrink
from abis import ABIS
from commands import ToolError
from layout import AAR, ANDROID, APK, DEPS, HOST, JNI, OUT, ROOT

sys.path.insert(0, str(ANDROID / "hosttest"))
import standins

TARGETS = ("classes", "test", "aar", "apk", "all")
# Tests load its libraries, on a machine of that kind.
HOST_ABI, OTHER_ABI = "x86_64", "arm64-v8a"
# All of them are looked for before the first step, which takes minutes.
PROGRAMS = (("openjdk-17-jdk-headless", "javac"), ("maven", "mvn"), ("aapt", "aapt"), ("apksigner", "apksigner"))
PYTHON_PROGRAMS = ("cmake", "ninja")


def build(target: str, bundle: Path | None = None) -> None:
    """Builds one of the targets.

    Raises:
        ToolError: A step fails.
    """
    assets.put(bundle)
    for package_name, program in PROGRAMS:
        debian.need(package_name, program)
    for program in PYTHON_PROGRAMS if target != "classes" else ():
        native.tool(program)
    with _step("libraries from Maven; the first time, hundreds of MB and minutes"):
        projects.fetch()
    with _step("resources"):
        resources.build()
    if target != "classes":
        with _step("native libraries"):
            native.build(JNI)
    tested = target in ("test", "all")
    on_host = platform.machine() == HOST_ABI
    if tested and on_host:
        with _step("stand-ins for Android's C library"):
            _host_libraries()
    # Maven leaves classes where they are whose sources are gone.
    shutil.rmtree(OUT / "maven", ignore_errors=True)
    with _step("classes and their tests" if tested else "classes"):
        said = projects.run_maven(["test" if tested else "compile"], doing="testing" if tested else "compiling")
        if tested:
            print(_count(said))
    if target in ("apk", "test", "all"):
        with _step("shrinking"):
            shrink.shrink()
    if tested and on_host:
        with _step("tests of the shrunk app"):
            said = projects.run_maven(["test"], doing="testing the shrunk app", project=ANDROID / "shrunk" / "pom.xml")
            print(_count(said))
    if target in ("aar", "all"):
        with _step("AAR"):
            package.aar()
        _show(AAR)
    if target in ("apk", "all"):
        with _step("APK"):
            package.unsigned()
            package.sign()
        _show(APK)


def _host_libraries() -> None:
    """What a Java VM of this machine loads: the APK's libraries, and what they take for Android's own."""
    shutil.rmtree(HOST, ignore_errors=True)
    (HOST / "jni").mkdir(parents=True)
    libraries = []
    for folder in (JNI / HOST_ABI, DEPS / "tensorflow-lite" / "jni" / HOST_ABI):
        libraries += [Path(shutil.copy(path, HOST / "jni")) for path in sorted(folder.glob("*.so"))]
    standins.make(ABIS[HOST_ABI], libraries, HOST / "stand-ins")
    # It does not load, and a test looks at what is said then.
    shutil.copy(JNI / OTHER_ABI / "liblq_fda_delegate.so", HOST / "jni" / "libof_another_processor.so")


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)


def _count(said: str) -> str:
    counts = re.findall(r"^\[\w+\] Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: (\d+)$", said, re.MULTILINE)
    run, skipped = (sum(map(int, column)) for column in zip(*counts, strict=True)) if counts else (0, 0)
    return f"          {run} tests passed" + (f", {skipped} of them skipped" if skipped else "")


def _show(path: Path) -> None:
    print(f"          {path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS, nargs="?", default="all")
    assets.add_argument(parser)
    arguments = parser.parse_args()
    try:
        with lock.alone(OUT):
            build(arguments.target, arguments.bundle)
    except ToolError as error:
        sys.exit(f"build.py: {error}")


if __name__ == "__main__":
    main()
