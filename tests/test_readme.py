"""What the README and the architecture page say is so: their code runs, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vectorplane.cli.app import app
from vectorplane.control.config import parse_config

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text()
PAGES = [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]


def blocks(language: str) -> list[str]:
    """The code blocks of a language in the README."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def test_configuration() -> None:
    for text in blocks("yaml"):
        parse_config(text)


def test_python(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(TOP / "examples")
    for code in blocks("python"):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("785 ")


def test_shown_output() -> None:
    """What `replay` and its trace print is what the README shows, but for clocks and speed."""
    shown = [
        b for b in blocks("console") if b.startswith(("$ .venv/bin/vectorplane replay", "$ vectorplane replay exam"))
    ]
    assert len(shown) == 2
    for block in shown:
        command, _, output = block.partition("\n")
        words = command.split("vectorplane ", 1)[1].split()
        done = subprocess.run(
            [sys.executable, "-m", "vectorplane", *(w for w in words if w not in ("--out", "out"))],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=True,
        )
        printed = {line.rstrip() for line in done.stdout.splitlines()}
        lines = output.partition("\nRuntime\n")[0].splitlines()
        assert [line for line in lines if line != "..." and line.rstrip() not in printed] == []
        nodes = {line.split()[0] for line in printed if " active " in line or " polling " in line}
        assert {line.split()[0] for line in output.splitlines() if " active " in line or " polling " in line} <= nodes


def test_shown_explanation() -> None:
    """`explain-packet` says what the README shows."""
    (block,) = [b for b in blocks("console") if b.startswith("$ vectorplane explain-packet")]
    command, _, output = block.partition("\n")
    words = shlex.split(command)[2:]
    done = subprocess.run(
        [sys.executable, "-m", "vectorplane", *words], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stdout == output


def test_commands_exist() -> None:
    known = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    known |= {g.name for g in app.registered_groups}
    named = set(re.findall(r"^(?:\$ )?(?:\.venv/bin/)?vectorplane ([a-z]+)", README, re.M))
    named |= {m.split()[0] for m in re.findall(r"^\| `([a-z]+[^`]*)`", README, re.M) if not m.startswith("vectorplane")}
    assert named <= known, named - known
    assert {str(k) for k in known} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
    for name in re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::\w+)?`", text):
        assert (TOP / name).exists(), f"{page.name}: {name}"
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {test}(" in (TOP / file).read_text(), f"{page.name}: {file}::{test}"
