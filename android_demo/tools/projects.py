"""The Maven projects: what they need, and running them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import debian
import jdk
import maven
import versions
from commands import DOWNLOAD, ToolError, run
from layout import ANDROID, ASSETS, DEPS, OUT

AARS = ("tensorflow-lite", "tensorflow-lite-api", "monitor")


def fetch() -> None:
    """Brings what the projects are compiled, tested and shrunk with, and unpacks the AARs.

    Raises:
        ToolError: A program or an artifact is missing.
    """
    wanted = json.dumps(versions.read(), sort_keys=True)
    stamp = DEPS / "versions.json"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(DEPS, ignore_errors=True)
    maven.tensorflow_lite(DEPS)
    maven.tensorflow_lite_api(DEPS)
    run_maven(["--non-recursive", "dependency:copy@deps", "dependency:copy@robolectric"], doing="fetching libraries")
    for name in AARS:
        with zipfile.ZipFile(DEPS / f"{name}.aar") as archive:
            archive.extractall(DEPS / name)
    stamp.write_text(wanted, encoding="utf-8")


def run_maven(arguments: Sequence[str], *, doing: str, project: Path = ANDROID / "pom.xml") -> str:
    """Runs Maven.

    Raises:
        ToolError: It fails; with the end of what it said.
    """
    table = versions.read()
    java = run([jdk.program("java"), "-version"], doing="asking the JDK for its version")
    if f'version "{table["jdk"]}.' not in java:
        received = java.splitlines()[0]
        raise ToolError(f"Another JDK is wanted. Expected {table['jdk']}. Received: {received}. Set JAVA_HOME.")
    debian.need("maven", "mvn")
    properties = [f"-Dversion.{name}={value}" for name, value in table.items()]
    properties += [f"-Drevision={table['lq-fda']}", f"-Dout={OUT}", f"-Dbundle={ASSETS / 'bundle'}"]
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums", "--file", project]
    words, environment = [*command, *properties, *arguments], {"JAVA_HOME": str(jdk.home())}
    # Whatever Maven does, it fetches first what it lacks for that.
    return run(words, doing=doing, environment=environment, longest=DOWNLOAD)
