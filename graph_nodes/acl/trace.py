"""The trace of ACL nodes, with VPP's text."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.acl.five_tuple import IS_IP6, SCRATCH, SCRATCH_SIZE
from vectorplane.graph_nodes.acl.rule_match import MATCHER, RULE
from vectorplane.graph_nodes.acl.runtime import RUNTIME
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, offsets, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

ACL_TRACE = np.dtype(
    [
        ("sw_if_index", "i4"),
        ("next_index", "i4"),
        ("context", "i4"),
        ("acl", "i4"),
        ("rule", "i4"),
        ("bits", "i4"),
        ("action", "i4"),
        ("info", "i4"),
        ("words", "i8", (5,)),  # VPP's fa_5tuple_t up to its last word
    ],
    align=True,
)
_WORDS = offsets(ACL_TRACE, "words")[0]
FOUND = 1 << 31
"""Trace bit: a session was found (or a fragment met a rule by its protocol alone)."""


@kernel
def trace_acl(worker: int, node: int, frame: int) -> int:
    """An `ACL_TRACE` for each traced packet, from what the node kept of its vector."""
    pool = rec(worker, WORKER).pool
    runtime = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            s = rec(runtime.scratch + i * SCRATCH_SIZE, SCRATCH)
            r = rec(t, ACL_TRACE)
            sw_if = m.rx_sw_if if runtime.is_input else m.tx_sw_if
            r.sw_if_index = sw_if
            r.next_index = get_next(frame, i)
            r.bits = s.bits
            r.action = s.action
            r.info = s.info
            r.context = -1
            r.acl = -1
            r.rule = -1
            if s.bits < 0 and s.session >= 0:  # a session: VPP shows its number as the rule
                r.rule = s.session
            else:
                matcher = ld64(runtime.matchers + 8 * sw_if)
                if matcher != 0:
                    r.context = rec(matcher, MATCHER).context
                if s.hash != 0:
                    r.acl = rec(s.hash, RULE).acl
                    r.rule = rec(s.hash, RULE).rule
            words = t + _WORDS
            if s.info & IS_IP6:
                for k in range(4):
                    st64(words + 8 * k, ld64(s.addresses + 8 + 8 * k) if s.addresses != 0 else 0)
            else:
                st64(words, 0)
                st64(words + 8, 0)
                st64(words + 16, 0)
                st64(words + 24, s.addresses)
            st64(words + 32, s.l4)
    return n


def tuple_words(record: Any) -> list[int]:
    """The six words of VPP's 5-tuple in a trace record."""
    words = [int(w) & (1 << 64) - 1 for w in record["words"]]
    context, info = int(record["context"]), int(record["info"]) & 0xFFFF
    return [*words, (context if context >= 0 else 0) | 0xFFFF << 32 | info << 48]


def format_tuple(words: list[int]) -> str:
    """VPP's text of a 5-tuple of six words."""
    l4, packet = words[4], words[5]
    flags, bits = packet >> 48 & 0xFF, packet >> 56
    if bits & 8:
        raw = b"".join(w.to_bytes(8, "little") for w in words[:4])
        source, destination = str(IPv6Address(raw[:16])), str(IPv6Address(raw[16:]))
    else:
        raw = words[3].to_bytes(8, "little")
        source, destination = str(IPv4Address(raw[:4])), str(IPv4Address(raw[4:]))
    l4_flags = l4 >> 40 & 0xFF
    return (
        f"lc_index {packet & 0xFFFFFFFF} l3 {'ip6' if bits & 8 else 'ip4'}"
        f"{' non-initial fragment' if bits & 4 else ''} {source} -> {destination} "
        f"l4 lsb_of_sw_if_index {l4 >> 48} proto {l4 >> 32 & 0xFF} l4_is_input {l4_flags & 1} "
        f"l4_slow_path {l4_flags >> 1 & 1} l4_flags 0x{l4_flags:02x} port {l4 & 0xFFFF} -> {l4 >> 16 & 0xFFFF} "
        f"tcp flags ({'valid' if bits & 1 else 'invalid'}) {flags:02x} rsvd {bits >> 4:x}"
    )


def format_trace(record: Any, plane: Dataplane) -> str:
    """``acl-plugin: lc_index: 0, sw_if_index 1, next index 1, action: 1, match: acl 0 rule 0 trace_bits 0``..."""
    words = tuple_words(record)
    return (
        f"acl-plugin: lc_index: {int(record['context'])}, sw_if_index {int(record['sw_if_index'])}, "
        f"next index {int(record['next_index'])}, action: {int(record['action'])}, "
        f"match: acl {int(record['acl'])} rule {int(record['rule'])} "
        f"trace_bits {int(record['bits']) & 0xFFFFFFFF:08x}\n"
        f"  pkt info {' '.join(f'{w:016x}' for w in words)}\n   {format_tuple(words)}"
    )


TRACE = Trace(ACL_TRACE, trace_acl, format_trace)
