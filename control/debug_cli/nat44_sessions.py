"""NAT44's sessions: all, their number, and the table behind them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.sessions import NatSession
from vectorplane.control.debug_cli.nat44_words import maybe_ip4, maybe_protocol, unknown
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.nat44.session import ESTABLISHED, P_ICMP, P_TCP, P_UDP
from vectorplane.graph_nodes.nat44.texts import flow_text, protocol_text

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_SECOND = 1e9
_PORT = 0xFFFF
Filter = Callable[[NatSession], bool]


def session_text(session: NatSession, now: int) -> str:
    """VPP's lines of a session; times in seconds since the start, as ``now`` (ns) is."""
    inside, outside = IPv4Address(session.in_address), IPv4Address(session.out_address)
    if session.is_unknown_proto:
        lines = [
            f"  i2o {inside} proto {session.in_port} fib {session.in_fib}",
            f"    o2i {outside} proto {session.out_port} fib {session.out_fib}",
        ]
    else:
        proto = protocol_text(session.proto)
        lines = [
            f"  i2o {inside} proto {proto} port {session.in_port} fib {session.in_fib}",
            f"    o2i {outside} proto {proto} port {session.out_port} fib {session.out_fib}",
        ]
    host = f"{IPv4Address(session.ext_host_address)}:{session.ext_host_port}"
    if session.is_twice_nat:
        nat = f"{IPv4Address(session.ext_host_nat_address)}:{session.ext_host_nat_port}"
        lines.append(f"       external host o2i {host} i2o {nat}")
    elif session.ext_host_address:
        lines.append(f"       external host {host}")
    silent = (now - session.last_heard) / _SECOND
    lines += [
        f"       i2o flow: {flow_text(session.i2o)}",
        f"       o2i flow: {flow_text(session.o2i)}",
        f"       index {session.index}",
        f"       last heard {session.last_heard / _SECOND:.2f}",
        f"       timeout in {session.timeout - silent:.2f}",
        f"       total pkts {session.packets}, total bytes {session.bytes}",
        f"       {'static' if session.is_static else 'dynamic'} translation",
    ]
    if session.is_bypass:
        lines.append("       forwarding-bypass")
    if session.is_lb:
        lines.append("       load-balancing")
    if session.is_twice_nat:
        lines.append("       twice-nat")
    return "".join(f"{line}\n" for line in lines)


def _filter(words: Words) -> Filter:
    way = "i2o" if words.accept("i2o") else "o2i" if words.accept("o2i") else ""
    field = next((f for f in ("saddr", "daddr", "sport", "dport", "proto") if way and words.accept(f)), "")
    value: int | None = None
    if field.endswith("addr"):
        value = maybe_ip4(words)
    elif field.endswith("port"):
        value = words.maybe_number(high=_PORT)
    elif field:
        value = maybe_protocol(words)
    if value is None:
        raise unknown(words)
    names = {"saddr": "source", "daddr": "destination", "sport": "source_port", "dport": "destination_port"}
    if field == "proto":
        return lambda s: s.proto == value
    return lambda s: bool(getattr(getattr(s, way), names[field]) == value)


def show_sessions(cli: DebugCli, words: Words) -> str:
    """All, by worker, or those that filters choose."""
    filters: list[Filter] = []
    while not words.done:
        at = words.at
        if not words.accept("filter"):
            raise unknown(words)
        try:
            filters.append(_filter(words))
        except Exception:
            words.at = at
            raise
    now = cli.engine.now
    parts = ["NAT44 ED sessions:\n"]
    by_worker: dict[int, list[NatSession]] = {k: [] for k in range(len(cli.engine.plane.workers))}
    for session in cli.engine.nat44.sessions:
        by_worker[session.worker].append(session)
    for worker, sessions in by_worker.items():
        name = "vpp_main" if len(by_worker) == 1 else f"vpp_wk_{worker}"
        parts.append(f"-------- thread {worker} {name}: {len(sessions)} sessions --------\n")
        chosen = [s for s in sessions if all(f(s) for f in filters)]
        parts += [f"  {session_text(s, now)}\n" for s in chosen]
        if filters:
            parts.append(
                f"Showed: {len(chosen)}, Filtered: {len(sessions) - len(chosen)} of total {len(sessions)} "
                f"sessions of thread {worker}\n\n"
            )
    return "".join(parts)


def show_summary(cli: DebugCli, words: Words) -> str:
    """How many there are, by protocol, and how many of them are only waiting to be forgotten."""
    nat, now = cli.engine.nat44, cli.engine.now
    names = ("tcp", "established", "transitory", "udp", "icmp", "other")
    counts = {name: [0, 0] for name in names}
    for session in nat.sessions:
        kinds = {P_UDP: ["udp"], P_ICMP: ["icmp"]}.get(session.proto, ["other"])
        if session.proto == P_TCP:
            kinds = ["tcp", "established" if session.tcp_state == ESTABLISHED else "transitory"]
        for kind in kinds:
            counts[kind][0] += 1
            counts[kind][1] += session.timed_out(now)
    total = sum(counts[k][0] for k in ("tcp", "udp", "icmp", "other"))
    gone = sum(counts[k][1] for k in ("tcp", "udp", "icmp", "other"))
    lines = [f"max translations per thread: {limit} fib {fib}" for fib, limit in enumerate(nat.limits)]
    lines.append(f"total sessions: {total} (timed out: {gone})")
    for name in ("tcp", "udp", "icmp", "other"):
        lines += [f"{name} sessions:", f"    total: {counts[name][0]} (timed out: {counts[name][1]})"]
        for state in ("established", "transitory") if name == "tcp" else ():
            lines.append(f"        {state}: {counts[state][0]} (timed out: {counts[state][1]})")
    return "\n".join(lines)


def show_hash(cli: DebugCli, words: Words) -> str:
    """The flow table, which is another one than VPP's."""
    words.accept("detail", "verbose")
    nat = cli.engine.nat44
    return (
        f"nat44 flow table: {nat.sessions.flows} flows\n-------- hash table parameters --------\n"
        f"translation buckets: {nat.translation_buckets}"
    )


COMMANDS = (
    Command(
        "show nat44 sessions",
        "show nat44 sessions [filter {i2o | o2i} {saddr <ip4-addr> | sport <n> | daddr <ip4-addr> | dport <n> | "
        "proto <proto>} [filter .. [..]]]",
        show_sessions,
    ),
    Command("show nat44 summary", "show nat44 summary", show_summary),
    Command("show nat44 hash tables", "show nat44 hash tables [detail|verbose]", show_hash),
)
