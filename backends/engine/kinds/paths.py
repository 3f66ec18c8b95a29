"""Paths of routes and of L3 cross-connects, as items and as the engine have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.route_paths import OWN_TABLE
from vectorplane.backends.engine.route_paths import Path as EnginePath
from vectorplane.backends.engine.route_paths6 import Path6
from vectorplane.backends.items import Path

_KINDS = {
    "": "normal",
    "blackhole": "drop",
    "unreachable": "unreachable",
    "prohibit": "prohibit",
    "local": "local",
    "punt": "punt",
}
_ACTIONS = {kind: action for action, kind in _KINDS.items()} | {"lookup": ""}


def engine_path(path: Path, index: Callable[[str], int], ip6: bool = False) -> EnginePath:
    """A path for the engine; ``index`` gives an interface's number.

    Raises:
        BackendError: the engine has no such paths; there is no such interface.
    """
    if path.action not in _KINDS:
        raise BackendError(f"the engine knows no paths of kind {path.action}")
    kind = _KINDS[path.action]
    if not path.action and not path.via and not path.interface:
        kind = "lookup"
    if path.via and (":" in path.via) != ip6:
        raise BackendError("the engine has no next hops of the other IP version")
    via = int((IPv6Address if ip6 else IPv4Address)(path.via)) if path.via else 0
    return (Path6 if ip6 else EnginePath)(
        via,
        index(path.interface) if path.interface else -1,
        path.weight,
        path.preference,
        kind,
        path.table if path.table >= 0 else OWN_TABLE,
    )


def item_paths(
    paths: Iterable[EnginePath], table: int, name: Callable[[int], str], ip6: bool = False
) -> tuple[Path, ...]:
    """The engine's paths of what is in ``table``, as items have them; ``name`` names interfaces."""
    return tuple(sorted(_item_path(path, table, name, ip6) for path in paths))


def _item_path(path: EnginePath, table: int, name: Callable[[int], str], ip6: bool) -> Path:
    action = _ACTIONS.get(path.kind, path.kind)
    other = -1 if path.table == OWN_TABLE or (path.next_hop and path.table == table) else path.table
    via = str((IPv6Address if ip6 else IPv4Address)(path.next_hop)) if path.next_hop and not action else ""
    interface = name(path.sw_if_index) if path.sw_if_index >= 0 else ""
    return Path(via, interface, -1 if action else other, action, path.weight, path.preference)
