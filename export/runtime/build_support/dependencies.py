"""What the wheel depends on: it differs between machines, and a marker cannot tell them apart.

`platform_machine` names the kernel's machine, which is aarch64 on a 32-bit Raspberry Pi OS with a 64-bit kernel, where
LiteRT cannot be installed.
"""

from __future__ import annotations

import targets

_EVERYWHERE = ["Pillow>=9.1"]


def dynamic_metadata(settings: dict, project: dict) -> dict[str, list[str]]:
    row = targets.TARGETS.get(targets.chosen(), targets.TARGETS["x86_64"])
    return {"dependencies": [*row.runtime, *_EVERYWHERE]}


def dynamic_wheel(settings: dict) -> dict[str, bool]:
    return {"dependencies": True}
