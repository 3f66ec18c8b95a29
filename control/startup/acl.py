"""``acl-plugin { ... }`` of the start-up configuration."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.startup.text import Cursor


@dataclass
class AclPlugin:
    """What of the section means something here; None: the default."""

    max_sessions: int | None = None
    reclassify: bool = False


_SIZES = ("connection hash memory", "main heap size", "hash lookup heap size", "hash lookup hash memory")
_NUMBERS = (
    "connection hash buckets",
    "hash lookup hash buckets",
    "use tuple merge",
    "tuple merge split threshold",
)
"""What tunes VPP's memory and its search; rules are always searched by tuples here."""


def acl_plugin(acl: AclPlugin, c: Cursor) -> None:
    """Read ``acl-plugin { ... }``."""
    from vectorplane.graph_nodes.acl.session_control import MOST_SESSIONS

    while c.more():
        if c.take("connection count max"):
            acl.max_sessions = c.number("connection count max")
            if acl.max_sessions > MOST_SESSIONS:
                raise c.error(f"connection count max: at most {MOST_SESSIONS} sessions are possible")
        elif c.take("reclassify sessions"):
            acl.reclassify = c.number("reclassify sessions") != 0
        elif name := next((name for name in _SIZES if c.take(name)), None):
            c.size(name)
        elif name := next((name for name in _NUMBERS if c.take(name)), None):
            c.number(name)
        else:
            raise c.unknown()
