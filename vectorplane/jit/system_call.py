"""Linux system calls from kernels: what a device's file descriptors take and give without Python.

``system_call(number, a, b, c)`` and ``system_call4(number, a, b, c, d)`` give the result, or minus the error number:
there is no ``errno`` to read, and no address of a C function, which would keep a kernel out of the cache. x86-64 and
64-bit ARM.
"""

from __future__ import annotations

import ctypes
import platform
from typing import Any

from llvmlite import binding, ir

from vectorplane.jit.ops import _op

_MACHINE = platform.machine()
WRITE, READV, WRITEV, SENDMMSG = {"aarch64": (64, 65, 66, 269)}.get(_MACHINE, (1, 19, 20, 307))

_ASSEMBLY = {
    "x86_64": ("syscall", ("={rax}", "{rax}", "{rdi}", "{rsi}", "{rdx}", "{r10}"), ("~{rcx}", "~{r11}", "~{memory}")),
    "aarch64": ("svc #0", ("={x0}", "{x8}", "{x0}", "{x1}", "{x2}", "{x3}"), ("~{memory}",)),
}
"""By machine: the instruction; the registers of the result, the number and the arguments; what is not as before."""


def _emit(b: Any, *values: Any) -> Any:
    if _MACHINE not in _ASSEMBLY:
        raise NotImplementedError(f"system calls from kernels are not known for {_MACHINE}")
    binding.initialize_native_asmparser()  # else LLVM ends the process at the first instruction of text
    text, registers, changed = _ASSEMBLY[_MACHINE]
    i64 = ir.IntType(64)
    kind = ir.FunctionType(i64, [i64] * len(values))
    constraints = ",".join((*registers[: 1 + len(values)], *changed))
    return b.call(ir.InlineAsm(kind, text, constraints, side_effect=True), list(values))


_libc = ctypes.CDLL(None, use_errno=True)


def _python(*values: int) -> int:
    result = _libc.syscall(*(ctypes.c_long(int(v)) for v in values))
    return int(result) if result >= 0 else -ctypes.get_errno()


system_call = _op(4, _emit, _python)
system_call4 = _op(5, _emit, _python)
