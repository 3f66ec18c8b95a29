"""``show features`` and ``show interface features``: which features there are, and which an interface has on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


def features(plane: Dataplane) -> dict[str, list[str]]:
    """By arc: all features in the order in which they run, then the node at the arc's end."""
    return {name: [*plane.arcs[name].order, plane.arcs[name].type.end] for name in sorted(plane.arcs)}


def show_features(plane: Dataplane) -> str:
    """The same as text."""
    lines = ["Available feature paths"]
    for arc, names in features(plane).items():
        lines += [f"{arc}:", *(f"  {n}" for n in names)]
    return "\n".join(lines) + "\n"


def interface_features(plane: Dataplane, name: str) -> dict[str, list[str]]:
    """By arc: the features that are on for an interface, in the order in which they run.

    Raises:
        KeyError: there is no interface of that name.
    """
    if name not in plane.interfaces.by_name:
        raise KeyError(f"no interface {name}")
    index = plane.interfaces.by_name[name]
    return {arc: plane.arcs[arc].chain(index) for arc in sorted(plane.arcs)}


def show_interface_features(plane: Dataplane, name: str) -> str:
    """The same as text."""
    lines = [f"Feature paths configured on {name}..."]
    for arc, names in interface_features(plane, name).items():
        lines += ["", f"{arc}:", *([f"  {n}" for n in names] or ["  none configured"])]
    return "\n".join(lines) + "\n"
