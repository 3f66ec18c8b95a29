"""The trace of L2 nodes: one record for all of them, a text for each (VPP's)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import INPUT_FEATURES
from vectorplane.graph_nodes.l2.fib import FLAGS, interface_in
from vectorplane.graph_nodes.trace_formats import mac
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import copy, offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

L2_TRACE = np.dtype(
    [
        ("rx", "i4"),
        ("tx", "i4"),
        ("bd_index", "i4"),
        ("feature_bitmap", "i4"),
        ("result", "i8"),  # l2-fwd's entry
        ("size", "i4"),
        ("data", "i1", (24,)),
    ],
    align=True,
)
_DATA = offsets(L2_TRACE, "data")[0]

_FLAG_NAMES = ("static", "age-not", "bvi", "filter", "learn-event", "learn-move")


@kernel
def trace_l2(worker: int, node: int, frame: int) -> int:
    """An `L2_TRACE` for each traced packet, without a result."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, L2_TRACE)
            r.rx = m.rx_sw_if
            r.tx = m.tx_sw_if
            r.bd_index = rec(b, L2_BUFFER).bd_index
            r.feature_bitmap = rec(b, L2_BUFFER).feature_bitmap
            r.result = -1
            r.size = min(int(m.current_length), 24)
            copy(t + _DATA, b + DATA + m.current_data, r.size)
    return n


def addresses(record: Any) -> str:
    """``dst 02:..:01 src 02:..:02``."""
    data = record["data"].tobytes()
    return f"dst {mac(data)} src {mac(data[6:])}"


def feature_names(bitmap: int) -> str:
    """``l2-fwd l2-flood ``: the nodes of a bitmap, as VPP lists them."""
    if bitmap == 0:
        return "  none configured"
    return "".join(
        f"{node} " for bit, (_, node) in reversed(list(enumerate(INPUT_FEATURES))) if bitmap >> bit & 1 and bit
    )


def entry_flags(flags: int) -> str:
    """``static age-not ``."""
    return "".join(f"{name} " for bit, name in enumerate(_FLAG_NAMES) if flags >> bit & 1) or "none"


def _raw(record: Any) -> str:
    return " ".join(f"{byte:02x}" for byte in record["data"].tobytes()[12:24])


def input_text(record: Any, plane: Dataplane) -> str:
    """l2-input: addresses and the features that are to come."""
    features = feature_names(int(record["feature_bitmap"]) & 0xFFFFFFFF)
    return f"l2-input: sw_if_index {record['rx']} {addresses(record)} [{features}]"


def fwd_text(record: Any, plane: Dataplane) -> str:
    """l2-fwd: the entry that was found."""
    value = int(record["result"])
    result = f"result [0x{value & (1 << 64) - 1:x}, {interface_in(value)}] {entry_flags(value >> FLAGS & 0xFF)}"
    where = f"bd_index {int(record['bd_index']) & 0xFFFF}"
    return f"l2-fwd:   sw_if_index {record['rx']} {addresses(record)} {where} {result}"


def in_domain_text(name: str) -> Trace:
    """l2-learn, l2-flood."""

    def text(record: Any, plane: Dataplane) -> str:
        where = f"bd_index {int(record['bd_index']) & 0xFFFF}"
        return f"{name}: sw_if_index {record['rx']} {addresses(record)} {where}"

    return Trace(L2_TRACE, trace_l2, text, before=True)


def uu_fwd_text(record: Any, plane: Dataplane) -> str:
    """l2-uu-fwd: the interface of unknown unicast."""
    return f"l2-uu-fwd: sw_if_index {record['tx']}"


def drop_text(record: Any, plane: Dataplane) -> str:
    """feature-bitmap-drop: the bits that were left."""
    return f"feat_bitmap_drop: feature bitmap 0x{int(record['feature_bitmap']) & 0xFFFFFFFF:08x}"


def raw_text(name: str, side: str) -> Trace:
    """l2-output, l2-input-vtr, l2-efp-filter: interface (``rx`` or ``tx``), addresses and what follows them."""

    def text(record: Any, plane: Dataplane) -> str:
        return f"{name}: sw_if_index {record[side]} {addresses(record)} data {_raw(record)}"

    return Trace(L2_TRACE, trace_l2, text)


INPUT_TRACE = Trace(L2_TRACE, trace_l2, input_text)
DROP_TRACE = Trace(L2_TRACE, trace_l2, drop_text)
UU_FWD_TRACE = Trace(L2_TRACE, trace_l2, uu_fwd_text)
LEARN_TRACE = in_domain_text("l2-learn")
FLOOD_TRACE = in_domain_text("l2-flood")
OUTPUT_TRACE = raw_text("l2-output", "tx")
INPUT_VTR_TRACE = raw_text("l2-input-vtr", "rx")
EFP_FILTER_TRACE = raw_text("l2-output-vtr", "tx")
