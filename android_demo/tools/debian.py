"""Debian's packages that a build or a test needs of the system."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from commands import ToolError, run


def need(package: str, what: str) -> None:
    """Installs a package unless the system has what it brings.

    Args:
        package: Its name.
        what: A program's name, or the path of a file.

    Raises:
        ToolError: It is missing, and cannot be installed from here.
    """
    if _there(what):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
        for words in (["update"], ["install", package]):
            run(
                [*command, *words],
                doing=f"installing Debian's package {package}",
                environment={"DEBIAN_FRONTEND": "noninteractive"},
            )
    if not _there(what):
        raise ToolError(f"{what} is missing. Install Debian's package {package}: sudo apt-get install {package}.")


def _there(what: str) -> bool:
    return Path(what).exists() if "/" in what else shutil.which(what) is not None
