"""Texts that must not change unnoticed. ``UPDATE_GOLDEN=1`` writes them anew: read the difference first."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent


def check(name: str, text: str) -> None:
    """Fail unless ``text`` is what the golden file ``name`` holds."""
    path = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"tests/golden/{name} differs"
