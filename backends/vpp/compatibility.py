"""Does this VPP speak the messages that we need, as we know them? Found out when we connect, and said clearly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vectorplane.backends.base import BackendError
from vectorplane.backends.vpp.definitions import Definitions

ALWAYS = (
    "control_ping",
    "show_version",
    "cli_inband",
    "sw_interface_dump",
    "sw_interface_tag_add_del",
)
"""Without these nothing works."""


def problem(name: str, definitions: Definitions, table: Iterable[str]) -> str | None:
    """Why a message can't be used: it is not defined, VPP does not have it, or has another version of it."""
    mine = definitions.name_crc(name)
    if mine is None:
        return f"{name} is not among the definitions in {definitions.source}"
    crc = definitions.messages[name].crc.removeprefix("0x")
    others = [n for n in table if n.rpartition("_")[0] == name]
    if mine in others:
        return None
    if others:
        theirs = others[0].rpartition("_")[2]
        return f"{name} differs: VPP has CRC {theirs}, {definitions.source} has {crc}"
    return f"this VPP has no {name}"


@dataclass
class Compatibility:
    """What was found. ``unusable``: by message why it can't be used; ``notes``: what that means, for people."""

    version: str = ""
    unusable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def compare(
    definitions: Definitions, table: Iterable[str], wanted: Iterable[tuple[str, tuple[tuple[str, ...], ...]]]
) -> Compatibility:
    """Compare with VPP's message table.

    ``wanted``: (what for, alternatives): one of the messages of each alternative must be there.

    Raises:
        BackendError: one of `ALWAYS` is unusable.
    """
    found = Compatibility()
    names = list(table)

    def usable(name: str) -> bool:
        wrong = found.unusable.get(name) or problem(name, definitions, names)
        for part in () if wrong else (definitions.services[name]["reply"],):
            wrong = problem(part, definitions, names) if definitions.name_crc(part) else None
        if wrong:
            found.unusable[name] = wrong
        return not wrong

    bad = [found.unusable[name] for name in ALWAYS if not usable(name)]
    if bad:
        advice = "use the definitions of that VPP, or a VPP from 23.10 on"
        raise BackendError(f"this VPP can't be driven: {'; '.join(bad)} ({advice})")
    for purpose, groups in wanted:
        for group in groups:
            able = [usable(name) for name in group]
            if not any(able):
                reasons = "; ".join(found.unusable[name] for name in group)
                found.notes.append(f"no {purpose}: {reasons}")
    return found
