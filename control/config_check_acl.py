"""What interfaces and ACLs of a configuration say about each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.config_error import Path
from vectorplane.control.config_explain import did_you_mean

if TYPE_CHECKING:
    from vectorplane.control.config_check import Checker


def check_acls(c: Checker) -> None:
    """All of it."""
    for _, path, port in c.all_ports():
        if port.acl is not None:
            for direction in ("input", "output"):
                _list(c, (*path, "acl", direction), getattr(port.acl, direction))
        if port.macip is not None and port.macip not in c.config.macip_acls:
            known = did_you_mean(port.macip, list(c.config.macip_acls))
            c.waits((*path, "macip"), f"there is no MACIP list {port.macip}" + known)
        if port.etype_whitelist is not None and port.acl is None:
            c.fail((*path, "etype_whitelist"), "it has an effect only beside ACLs: expected acl, too")


def _list(c: Checker, path: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            c.fail((*path, i), f"ACL {name} stands here twice")
        elif name not in c.config.acls:
            c.waits((*path, i), f"there is no ACL {name}" + did_you_mean(name, list(c.config.acls)))
