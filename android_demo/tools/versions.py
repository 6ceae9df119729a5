"""The table [versions] of gradle/libs.versions.toml: versions, SDK levels and ABIs, for what is not Gradle.

python android_demo/tools/versions.py requirements   # what the native build needs from PyPI, for pip
python android_demo/tools/versions.py minSdk         # one entry
"""

from __future__ import annotations

import sys
from pathlib import Path

import tomllib

CATALOG = Path(__file__).resolve().parents[1] / "gradle" / "libs.versions.toml"
# `cmake` and `ninja` of any version that CMakeLists.txt admits do; the machine may have them already.
PYTHON_PACKAGES = ("ziglang", "pyelftools")


def read() -> dict[str, str]:
    """Every entry."""
    with CATALOG.open("rb") as file:
        return tomllib.load(file)["versions"]


def abis() -> list[str]:
    """The ABIs that the libraries and the app are built for."""
    return read()["abis"].split(",")


def requirements() -> list[str]:
    """What pip is to install for the native build."""
    table = read()
    return [f"{package}=={table[package]}" for package in PYTHON_PACKAGES] + ["cmake>=3.21", "ninja"]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    name = sys.argv[1]
    if name == "requirements":
        print("\n".join(requirements()))
    elif name in read():
        print(read()[name])
    else:
        sys.exit(f"There is no such entry. Expected requirements, {', '.join(read())}. Received: {name!r}.")


if __name__ == "__main__":
    main()
