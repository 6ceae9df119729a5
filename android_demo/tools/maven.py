"""Files from Maven Central, each compared with its sha256 in gradle/libs.versions.toml."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import debian
import versions
from commands import DOWNLOAD, ToolError, run


def tensorflow_lite(folder: Path) -> Path:
    """TFLite's AAR: its libraries for Android, and its classes."""
    return _fetch("tensorflow-lite", folder)


def tensorflow_lite_api(folder: Path) -> Path:
    """The AAR with the interfaces that TFLite's classes implement."""
    return _fetch("tensorflow-lite-api", folder)


def unpack(archive: Path, name: str, target: Path) -> Path:
    """Writes one file of an archive.

    Raises:
        ToolError: There is no such file in it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as content, content.open(name) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ToolError(f"{archive} lacks {name} ({error}). Remove the archive and build again.") from error
    return target


def _fetch(artifact: str, folder: Path) -> Path:
    table = versions.read()
    path = folder / f"{artifact}.aar"
    expected = table[f"{artifact}-sha256"]
    if not path.is_file() or _digest(path) != expected:
        debian.need("maven", "mvn")
        # Maven keeps what it downloads in its own repository, and compares it with the checksum there.
        run(
            [
                "mvn",
                "--quiet",
                "--batch-mode",
                "--strict-checksums",
                f"org.apache.maven.plugins:maven-dependency-plugin:{table['maven-dependency-plugin']}:copy",
                f"-Dartifact=org.tensorflow:{artifact}:{table['tensorflow-lite']}:aar",
                f"-DoutputDirectory={folder}",
                "-Dmdep.stripVersion=true",
                "-Dmdep.overWriteReleases=true",
            ],
            doing=f"fetching {artifact} {table['tensorflow-lite']}",
            longest=DOWNLOAD,
        )
    if _digest(path) != expected:
        raise ToolError(
            f"{artifact} is another file than the one that was checked. Expected sha256 {expected}. Received: "
            f"{_digest(path)}. Change {artifact}-sha256 in {versions.CATALOG.name} only for a version that you trust."
        )
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
