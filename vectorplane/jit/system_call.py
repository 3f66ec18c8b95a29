"""Linux system calls from kernels: what a device's file descriptors take and give without Python.

``system_call(number, a, b, c)`` gives the result, or minus the error number: there is no ``errno`` to read, and no
address of a C function, which would keep a kernel out of the cache. x86-64 and 64-bit ARM.
"""

from __future__ import annotations

import ctypes
import platform
from typing import Any

from llvmlite import binding, ir

from vectorplane.jit.ops import _op

_MACHINE = platform.machine()
WRITE, READV, WRITEV = {"aarch64": (64, 65, 66)}.get(_MACHINE, (1, 19, 20))

_ASSEMBLY = {
    "x86_64": ("syscall", "={rax},{rax},{rdi},{rsi},{rdx},~{rcx},~{r11},~{memory}"),
    "aarch64": ("svc #0", "={x0},{x8},{x0},{x1},{x2},~{memory}"),
}


def _emit(b: Any, number: Any, a: Any, c: Any, d: Any) -> Any:
    if _MACHINE not in _ASSEMBLY:
        raise NotImplementedError(f"system calls from kernels are not known for {_MACHINE}")
    binding.initialize_native_asmparser()  # else LLVM ends the process at the first instruction of text
    text, constraints = _ASSEMBLY[_MACHINE]
    i64 = ir.IntType(64)
    kind = ir.FunctionType(i64, [i64] * 4)
    return b.call(ir.InlineAsm(kind, text, constraints, side_effect=True), [number, a, c, d])


_libc = ctypes.CDLL(None, use_errno=True)


def _python(number: int, a: int, b: int, c: int) -> int:
    result = _libc.syscall(*(ctypes.c_long(int(v)) for v in (number, a, b, c)))
    return int(result) if result >= 0 else -ctypes.get_errno()


system_call = _op(4, _emit, _python)
