"""Operations on memory that another process writes at the same time: rings between processes.

``load_once``
    64 bits in one load that the compiler may not repeat, so that what was checked is what is used. 8-byte aligned.
``load16_acquire``, ``store16_release``
    16-bit heads and tails: what lies before the one side's store is seen behind the other's load. 2-byte aligned.
``fence``
    A full barrier: no later load passes an earlier store.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from vectorplane.jit import twin
from vectorplane.jit.ops import _op, _pointer

_I16, _I64 = ir.IntType(16), ir.IntType(64)


def _emit_load16(b: Any, address: Any) -> Any:
    return b.zext(b.load_atomic(_pointer(b, address, 16), "acquire", 2), _I64)


def _emit_store16(b: Any, address: Any, value: Any) -> None:
    b.store_atomic(b.trunc(value, _I16), _pointer(b, address, 16), "release", 2)


load_once = _op(
    1,
    lambda b, address: b.load_atomic(_pointer(b, address, 64), "monotonic", 8),
    lambda address: twin.load(address, 8, True),
)
load16_acquire = _op(1, _emit_load16, lambda address: twin.load(address, 2))
store16_release = _op(2, _emit_store16, lambda address, value: twin.store(address, 2, value), returns=False)
fence = _op(0, lambda b: b.fence("seq_cst"), lambda: None, returns=False)
