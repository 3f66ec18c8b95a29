"""``set acl-plugin ...``: timeouts, limits, switches; ``clear acl-plugin sessions``.

What tunes VPP's memory and its debug logs is accepted and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.acl.session_table import TCP_IDLE, TCP_TRANSIENT, UDP_IDLE

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_SECONDS = "timeout value in seconds"
_IDLE = "set acl-plugin session timeout {{udp idle}|tcp {idle|transient}} <seconds>"


def _number(words: Words, what: str) -> int:
    """A number, or VPP's complaint, whose quotes are its own."""
    value = words.maybe_number()
    if value is None:
        raise CliError(f"expecting {what}, got `{words.take_rest()}`")
    return value


def _switch(words: Words, name: str) -> bool | None:
    """``NAME N``, if that comes next."""
    at = words.at
    if words.accept(name):
        value = words.maybe_number()
        if value is not None:
            return value != 0
        words.at = at
    return None


def _skip(cli: DebugCli, words: Words) -> bool:
    at = words.at
    if not words.accept("skip-ipv6-extension-header"):
        return False
    header, value = words.maybe_number(), words.maybe_number()
    if header is None or value is None:
        words.at = at
        raise words.unknown()
    if header > 255 or value > 1:
        raise CliError("expecting eh=0..255, value=0..1")
    cli.engine.acls.skip_ip6_extension(header, bool(value))
    return True


def settings(cli: DebugCli, words: Words) -> str:
    """One of them."""
    acls = cli.engine.acls
    if _skip(cli, words):
        pass
    elif (on := _switch(words, "use-hash-acl-matching")) is not None:
        acls.use_hash_matching = on
    elif (on := _switch(words, "l4-match-nonfirst-fragment")) is not None:
        acls.l4_match_nonfirst_fragment = on
    elif (on := _switch(words, "reclassify-sessions")) is not None:
        acls.reclassify = on
    elif words.accept("event-trace", "session table event-trace"):
        _number(words, "trace level")
    elif words.accept("heap"):
        words.take_rest()
    elif words.accept("session table max-entries"):
        acls.max_sessions = _number(words, "maximum number of entries")
    elif words.accept("session table hash-table-buckets"):
        _number(words, "maximum number of hash table buckets")
    elif words.accept("session table hash-table-memory"):
        if words.done:
            raise CliError("expecting maximum amount of hash table memory, got ``")
        words.take()
    elif words.accept("session timeout udp idle"):
        acls.set_timeout(UDP_IDLE, _number(words, _SECONDS))
    elif words.accept("session timeout tcp idle"):
        acls.set_timeout(TCP_IDLE, _number(words, _SECONDS))
    elif words.accept("session timeout tcp transient"):
        acls.set_timeout(TCP_TRANSIENT, _number(words, _SECONDS))
    else:
        raise words.unknown()
    return ""


def clear_sessions(cli: DebugCli, words: Words) -> str:
    """End all sessions."""
    cli.engine.acls.clear_sessions()
    return ""


COMMANDS = (
    Command("set acl-plugin", _IDLE, settings),
    Command("clear acl-plugin sessions", "clear acl-plugin sessions", clear_sessions),
)
