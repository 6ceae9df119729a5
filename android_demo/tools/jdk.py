"""The JDK: its headers of JNI, its compiler and its virtual machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import debian
from commands import ToolError


def home() -> Path:
    """$JAVA_HOME, or the JDK whose `javac` is found first.

    Raises:
        ToolError: There is none.
    """
    if "JAVA_HOME" not in os.environ:
        debian.need("openjdk-17-jdk-headless", "javac")
    javac = shutil.which("javac")
    home = os.environ.get("JAVA_HOME") or (str(Path(javac).resolve().parents[1]) if javac else "")
    if not home or not (Path(home) / "bin" / "javac").is_file():
        raise ToolError(
            f"A JDK is missing. Expected JAVA_HOME or javac. Received: JAVA_HOME={os.environ.get('JAVA_HOME')!r}. "
            "Install one, on Debian by: apt-get install openjdk-17-jdk-headless."
        )
    return Path(home)


def program(name: str) -> Path:
    """One of its programs."""
    return home() / "bin" / name


def headers() -> list[Path]:
    """Folders with jni.h and what that includes. JNI's layout is specified: Android has the same.

    Raises:
        ToolError: They are missing.
    """
    folder = home() / "include"
    if not (folder / "jni.h").is_file():
        raise ToolError(f"{folder} lacks jni.h. Install a JDK, on Debian by: apt-get install openjdk-17-jdk-headless.")
    return [folder, folder / "linux"]
