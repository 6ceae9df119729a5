"""R8 shrinks the app's classes to a JAR, which a test of this machine runs; D8 translates that for a phone."""

from __future__ import annotations

import shutil
from pathlib import Path

import archive
import jdk
import resources
import versions
from commands import run
from layout import ANDROID, APP, DEPS, classes

DEX = APP / "dex"
JAR = APP / "shrunk.jar"
MAPPING = APP / "mapping.txt"
RULES = (
    resources.RULES,
    ANDROID / "app" / "proguard-rules.pro",
    ANDROID / "runtime" / "consumer-rules.pro",
    DEPS / "tensorflow-lite" / "proguard.txt",
    DEPS / "tensorflow-lite-api" / "proguard.txt",
)
LIBRARIES = ("tensorflow-lite/classes.jar", "tensorflow-lite-api/classes.jar", "kotlin-stdlib.jar")


def shrink() -> None:
    """Makes both.

    Raises:
        ToolError: R8 fails.
    """
    program = {
        name: content
        for module in ("app", "runtime")
        for name, content in archive.files(classes(module)).items()
        if name.endswith(".class")
    }
    whole = APP / "classes.jar"
    archive.write(whole, program)
    rules = [word for path in RULES for word in ("--pg-conf", path)]
    libraries = ("--lib", resources.ANDROID_JAR, "--lib", jdk.home())
    inputs = [whole, *(DEPS / name for name in LIBRARIES)]
    options = ("--release", "--classfile", "--pg-map-output", MAPPING)
    _run("R8", *options, *libraries, *rules, "--output", JAR, *inputs)
    shutil.rmtree(DEX, ignore_errors=True)
    DEX.mkdir(parents=True)
    api = ("--min-api", versions.read()["minSdk"])
    _run("D8", "--release", *api, "--lib", resources.ANDROID_JAR, "--output", DEX, JAR)


def _run(tool: str, *arguments: str | Path) -> None:
    command = [jdk.program("java"), "-cp", DEPS / "r8.jar", f"com.android.tools.r8.{tool}"]
    run([*command, *arguments], doing=f"shrinking the app ({tool})")
