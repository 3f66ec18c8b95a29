"""The acl plugin at work: interfaces, sessions, lookup contexts.

Times of sessions are in ns; VPP's lines about its cleaner's interrupts have nothing here that they could tell of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.acl_lists import acl_lines, maybe_index, numbers
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.acl.session_table import TCP_TRANSIENT, UDP_IDLE
from vectorplane.graph_nodes.acl.trace import format_tuple

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_NONE = -1
_LISTS = 5
_DIRECTIONS = ((True, "input"), (False, "output"))


def show_interface(cli: DebugCli, words: Words) -> str:
    """The ACLs of each interface, or of one."""
    wanted = maybe_index(words, "sw_if_index")
    show_rules, detail = words.accept("acl"), words.accept("detail")
    acls = cli.engine.acls
    lines: list[str] = []
    seen = max(reach.interfaces for reach in acls.reach.values())
    epochs = {d: {i: e for i in range(seen) if (e := acls.policy_epoch(i, d)) is not None} for d in (True, False)}
    for index in range(seen) if wanted is None else [wanted][: wanted < seen]:
        lines.append(f"sw_if_index {index}:")
        for is_input, word in _DIRECTIONS:
            if index <= max(epochs[is_input], default=-1):
                lines.append(f"   {word} policy epoch: {epochs[is_input].get(index, 0):x}")
        for (_, word), types in zip(_DIRECTIONS, cli.engine.acl_whitelists.of(index), strict=True):
            if types:
                lines.append(f" {word:>6} etype whitelist: {numbers(types, '04x')}")
        for (_, word), listed in zip(_DIRECTIONS, (acls.inputs(index), acls.outputs(index)), strict=True):
            if listed:
                lines.append(f"  {word} acl(s): {numbers(listed)}")
                if show_rules:
                    lines += ["", *(line for i in listed for line in acl_lines(acls[i])), ""]
        for is_input, word in _DIRECTIONS:
            if detail and index < acls.reach[is_input].interfaces:
                context = acls.context_of(index, is_input)
                lines.append(f"  {word:>6} lookup context index: {_NONE if context is None else context}")
    return "".join(f"{line}\n" for line in lines)  # the last one may be empty


def show_sessions(cli: DebugCli, words: Words) -> str:
    """How many sessions there are, were made and ended, by worker and interface, and the settings."""
    thread = index = None
    if words.accept("thread"):
        thread = words.take_number("expecting a thread, got")
        index = maybe_index(words)
    if words.accept("verbose"):
        words.maybe_number()
    engine = cli.engine
    sessions = engine.acls.sessions
    added, deleted, ended = sessions.totals()
    lines = [
        f"Sessions total: add {added} - del {deleted} = {added - deleted}",
        f"Sessions active: add {added} - deact {ended} = {added - ended}",
        f"Sessions being purged: deact {ended} - del {deleted} = {ended - deleted}",
        f"now: {engine.now} clocks per second: 1000000000",
        "",
        "",
        "Per-thread data:",
    ]
    for worker in range(len(engine.plane.workers)):
        lines.append(f"Thread #{worker}:")
        if thread == worker and index is not None:
            lines += _session(cli, index)
        lines.append("  connection add/del stats:")
        for sw_if_index in sorted(engine.interfaces.by_index):
            made, gone, stale = sessions.counts(worker, sw_if_index)
            lines.append(f"    sw_if_index {sw_if_index}: add {made} - del {gone} = {made - gone}; epoch chg: {stale}")
        lines.append("  connection timeout type lists:")
        for kind in range(_LISTS):
            head = sessions.head(worker, kind) if UDP_IDLE <= kind <= TCP_TRANSIENT else None
            lines.append(f"  fa_conn_list_head[{kind}]: {_NONE if head is None else head.index}")
            if head is not None:
                lines += [f"    last active time: {head.active}", f"    link enqueue time: {head.enqueued}"]
    lines += ["", "", "Conn cleaner thread counters:"]
    lines.append(f"             {sessions.restarted:20d}: session idle timers restarted")
    lines.append(f"Reclassify sessions: {int(engine.acls.reclassify)}")
    for name, map_ in zip(("IPv6", "IPv4"), reversed(sessions.table.maps), strict=True):
        lines += ["", f"{name} Session lookup hash table:", f"{map_.name}: {len(map_)} of {map_.capacity} entries"]
    return "\n".join(lines)


def _session(cli: DebugCli, index: int) -> list[str]:
    session = cli.engine.acls.sessions.get(index)
    if session is None:
        return []
    way = f"{session.source} -> {session.destination} proto {session.proto}"
    return [
        f"  session index {index}:",
        f"    info: {way} port {session.source_port} -> {session.destination_port}",
        f"    sw_if_index: {session.sw_if_index}",
        f"    tcp_flags_seen: {session.flags_seen:x}",
        f"    last active time: {session.active}",
        f"    thread index: {session.worker}",
        f"    link enqueue time: {session.enqueued}",
        f"    link list id: {session.kind}",
    ]


def show_context(cli: DebugCli, words: Words) -> str:
    """The lookup contexts."""
    wanted = maybe_index(words)
    acls = cli.engine.acls
    if not any(reach.acls for reach in acls.reach.values()):
        return "ACL lookup contexts are not initialized"
    return "\n".join(
        f"index {c.index}:interface ACL sw_if_index: {c.sw_if_index} is_input: {int(c.is_input)}, "
        f"acl_indices: {numbers(c.acls)}"
        for c in acls.contexts()
        if wanted in (None, c.index)
    )


def show_user(cli: DebugCli, words: Words) -> str:
    """Who uses lookup contexts."""
    return "index 0:interface ACL:sw_if_index:is_input"


def show_tuple(cli: DebugCli, words: Words) -> str:
    """The six words of a 5-tuple, as a trace shows them, in plain."""
    values: list[int] = []
    while not words.done and len(values) < 6:
        word = words.take()
        try:
            values.append(int(word, 16) & (1 << 64) - 1)
        except ValueError:
            break
    if len(values) < 6:
        raise CliError("expecting 6 hex integers")
    return f"5-tuple structure decode: {format_tuple(values)}\n\n"


def show_memory(cli: DebugCli, words: Words) -> str:
    """VPP's answer."""
    return "ACL memory is now part of the main heap"


COMMANDS = (
    Command("show acl-plugin interface", "show acl-plugin interface [sw_if_index N] [acl]", show_interface),
    Command("show acl-plugin sessions", "show acl-plugin sessions", show_sessions),
    Command("show acl-plugin lookup context", "show acl-plugin lookup context [index N]", show_context),
    Command("show acl-plugin lookup user", "show acl-plugin lookup user [index N]", show_user),
    Command(
        "show acl-plugin decode 5tuple",
        "show acl-plugin decode 5tuple XXXX XXXX XXXX XXXX XXXX XXXX",
        show_tuple,
    ),
    Command("show acl-plugin memory", "show acl-plugin memory", show_memory),
)
