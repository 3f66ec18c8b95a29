"""What docs/cluster.md shows is what its commands print, typed one after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
PAGE = (TOP / "docs" / "cluster.md").read_text()
_MASKED = re.compile(r"process \d+, socket [^)]*|with \d+ items")
"""What depends on where it runs."""


def typed() -> list[tuple[str, list[str]]]:
    """Commands and the lines that follow them."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line.rstrip())
    return found


def test_the_page(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(TOP / "examples")
    socket = str(tmp_path / "c.sock")
    commands = typed()
    assert commands[0][0].split()[2] == "up" and commands[-1][0].split()[2] == "down" and len(commands) > 15
    try:
        for command, shown in commands:
            words = [sys.executable, "-m", *command.split(), "--socket", socket]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
            printed = done.stdout if done.returncode in (0, 1) else done.stderr
            lines = [_MASKED.sub("*", line.rstrip()) for line in printed.rstrip("\n").splitlines()]
            assert lines == [_MASKED.sub("*", line) for line in shown], command
        picture = (tmp_path / "matrix.svg").read_text()
        assert picture == (TOP / "docs" / "cluster-matrix.svg").read_text()
    finally:
        down = [sys.executable, "-m", "vectorplane", "cluster", "down", "--socket", socket]
        subprocess.run(down, capture_output=True, timeout=60, check=False)
