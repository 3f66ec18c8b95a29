"""docs/bare-metal.md: its configurations are good, and its commands are there with their options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from vectorplane.cli.app import app
from vectorplane.control.config import parse_config
from vectorplane.control.vpp_startup import cards, map_interfaces

PAGE = (Path(__file__).parent.parent / "docs" / "bare-metal.md").read_text()
YAML = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line.removeprefix("sudo ").removesuffix("&").strip()
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)
]


def test_its_configurations() -> None:
    router, card = YAML
    whole = parse_config(router, "router.yaml")
    assert set(whole.interfaces) == {"lan", "wan", "me"} and not cards(whole)
    with_card = parse_config("interfaces:\n" + card, "card.yaml")
    assert [m.vpp for m in map_interfaces(with_card)] == ["lan"] and cards(with_card)["lan"].pci == "0000:3b:00.0"


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("vectorplane ")])
def test_its_commands(line: str) -> None:
    command: click.Command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    if command.name == "vpp":
        return  # its words are VPP's
    options = {o for p in command.params for o in p.opts}
    assert not [w for w in words if w.startswith("-") and w not in options]


def test_other_commands_are_vpps() -> None:
    assert [c for c in COMMANDS if not c.startswith("vectorplane ")] == ["vpp -c startup.conf"]
