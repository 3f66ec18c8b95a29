"""The decorators that turn Python into kernels.

``kernel``
    One uniform C signature, ``int64 f(int64, int64, int64)``, called through a table of function
    pointers. Compiled when its `Kernel.address` is first asked for, never at import.
``compiled``
    A function called from Python with a fixed number of 64-bit integers; it releases the GIL.
``helper``
    A small function that kernels call; it is inlined into them. ``routine``: one that is not.

With ``NUMBA_DISABLE_JIT=1`` all of them stay plain Python (coverage, debugging, and the
bounds-checked mode of `vectorplane.jit.twin`).
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

from numba import config as _config
from numba import types

from vectorplane.jit import cache

config: Any = _config  # numba makes its attributes at run time
F = TypeVar("F", bound=Callable[..., Any])

JIT = not config.DISABLE_JIT
"""False when the process runs with ``NUMBA_DISABLE_JIT=1``: kernels are then plain Python."""

_lock = threading.RLock()  # one compilation at a time in a process

python_kernels: dict[int, Callable[[int, int, int], int]] = {}
"""JIT off: stands for the function pointers; `ops.call3` looks a kernel up here by its number."""


def _link(code: bytes, symbol: str) -> tuple[int, Any]:
    """Address of a function in an object file, and what keeps it in memory: a linker of its own."""
    from llvmlite import binding
    from numba.core.registry import cpu_target

    _ = cpu_target.target_context  # makes numba's helper functions known to the linker
    target = binding.Target.from_default_triple().create_target_machine(jit=True, opt=0, codemodel="jitdefault")
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return int(engine.get_function_address(symbol)), engine


def machine_code(python: Callable[..., int], arity: int) -> tuple[int, Any]:
    """Address of the compiled function of ``arity`` 64-bit integers, and what keeps it in memory.

    Loaded when it is kept from before, else compiled and kept.
    """
    import numba

    function = cast(FunctionType, python)
    path = cache.file_of(function) if cache.keeps(function) else None
    kept = cache.load(path) if path is not None else None
    if kept is not None:
        return _link(kept[1], kept[0])
    signature = types.int64(*([types.int64] * arity))
    made: Any = numba.cfunc(signature, error_model="numpy")(python)
    if path is not None:
        _, _, (code, _) = made._library.serialize_using_object_code()
        cache.save(path, made._wrapper_name, code)
    return int(made.address), made


class Compiled:
    """A function of N 64-bit integers returning one, called from Python with the GIL released.

    ``python`` is the undecorated function, for the tests that run it without the JIT.
    """

    def __init__(self, python: Callable[..., int]) -> None:
        self.python = python
        self.module = python.__module__
        self.name = python.__qualname__
        self.__doc__ = python.__doc__
        self.arity = python.__code__.co_argcount
        self._address = 0
        self._keep: Any = None
        self._call: Callable[..., int] | None = None

    @property
    def address(self) -> int:
        """Address of the machine code. Compiles, or loads from the cache, on first use."""
        if not self._address:
            with _lock:
                if not self._address:
                    if JIT:
                        self._address, self._keep = machine_code(self.python, self.arity)
                    else:
                        self._address = len(python_kernels) + 1
                        python_kernels[self._address] = self.python
        return self._address

    @property
    def function(self) -> Callable[..., int]:
        """The function for Python to call: machine code, without the GIL."""
        if self._call is None:
            if JIT:
                prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *([ctypes.c_int64] * self.arity))
                self._call = cast(Callable[..., int], prototype(self.address))
            else:
                self._call = self.python
        return self._call

    @property
    def is_cached(self) -> bool:
        """True when asking for the address will not have to compile."""
        if not JIT or self._address:
            return True
        function = cast(FunctionType, self.python)
        return cache.keeps(function) and cache.file_of(function).exists()

    def __call__(self, *args: int) -> int:
        """Call it from Python: costs about a microsecond."""
        return self.function(*args)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.module}.{self.name}>"


class Kernel(Compiled):
    """A function with the uniform signature, called through its address."""

    def __init__(self, python: Callable[[int, int, int], int]) -> None:
        super().__init__(python)
        if self.arity != 3:
            raise TypeError(f"kernel {self.name} takes {self.arity} arguments, not three")


def kernel(function: Callable[[int, int, int], int]) -> Kernel:
    """Declare a kernel: three 64-bit integers (addresses, mostly) in, one out."""
    return Kernel(function)


def compiled(function: Callable[..., int]) -> Compiled:
    """Declare a function that Python calls with 64-bit integers and that runs without the GIL."""
    return Compiled(function)


def _for_kernels(function: F, inline: bool) -> F:
    """A function that only kernels call: no wrappers for Python and C, no machine code of its own."""
    if not JIT:
        return function
    import numba

    from vectorplane.jit.helper_compiler import HelperCompiler

    njit: Any = numba.njit  # these options are not in its stubs
    compiler = {"pipeline_class": HelperCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, njit(error_model="numpy", forceinline=inline, **compiler)(function))


def helper(function: F) -> F:
    """Declare a small function used inside kernels; it is always inlined (LLVM alone leaves calls in hot loops)."""
    return _for_kernels(function, inline=True)


def routine(function: F) -> F:
    """Declare a function for the rare paths of kernels: called, not inlined, so that the kernel stays small."""
    return _for_kernels(function, inline=False)
