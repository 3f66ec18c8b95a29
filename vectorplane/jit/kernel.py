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
from typing import Any, TypeVar, cast

from numba import config as _config
from numba import types

from vectorplane.jit import cache

config: Any = _config  # numba makes its attributes at run time
F = TypeVar("F", bound=Callable[..., Any])

JIT = not config.DISABLE_JIT
"""False when the process runs with ``NUMBA_DISABLE_JIT=1``: kernels are then plain Python."""

_SIGNATURE = types.int64(types.int64, types.int64, types.int64)
_C_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_lock = threading.Lock()  # numba's cache directory is a process-wide setting while a function is declared

python_kernels: dict[int, Callable[[int, int, int], int]] = {}
"""JIT off: stands for the function pointers; `ops.call3` looks a kernel up here by its number."""


class Kernel:
    """A function with the uniform signature, compiled on demand.

    ``python`` is the undecorated function, for the tests that run it without the JIT.
    """

    def __init__(self, python: Callable[[int, int, int], int]) -> None:
        self.python = python
        self.module = python.__module__
        self.name = python.__qualname__
        self.__doc__ = python.__doc__
        self._address = 0
        self._keep: Any = None

    @property
    def address(self) -> int:
        """Address of the machine code. Compiles, or loads from the cache, on first use."""
        if not self._address:
            if JIT:
                self._compile()
            else:
                self._address = len(python_kernels) + 1
                python_kernels[self._address] = self.python
        return self._address

    def _compile(self) -> None:
        import numba

        with _lock:
            if self._address:
                return
            config.CACHE_DIR = str(cache.directory(self.module))
            self._keep = numba.cfunc(_SIGNATURE, cache=True, error_model="numpy")(self.python)
            self._address = int(self._keep.address)
            cache.mark(self.module, self.name).touch()

    @property
    def is_cached(self) -> bool:
        """True when asking for the address will not have to compile."""
        return not JIT or bool(self._address) or cache.mark(self.module, self.name).exists()

    def __call__(self, a: int, b: int, c: int) -> int:
        """Call it from Python (tests, set-up): costs about a microsecond."""
        if not JIT:
            return self.python(a, b, c)
        return int(_C_SIGNATURE(self.address)(a, b, c))

    def __repr__(self) -> str:
        return f"<kernel {self.module}.{self.name}>"


def kernel(function: Callable[[int, int, int], int]) -> Kernel:
    """Declare a kernel: three 64-bit integers (addresses, mostly) in, one out."""
    return Kernel(function)


class Compiled:
    """A function of N 64-bit integers returning one, called from Python with the GIL released."""

    def __init__(self, python: Callable[..., int]) -> None:
        self.python = python
        self.module = python.__module__
        self.name = python.__qualname__
        self.__doc__ = python.__doc__
        self._arity = python.__code__.co_argcount
        self._function: Callable[..., int] | None = None

    @property
    def function(self) -> Callable[..., int]:
        """The callable that numba made; compiles, or loads from the cache, on first use."""
        if self._function is None:
            if not JIT:
                self._function = self.python
            else:
                import numba

                with _lock:
                    if self._function is None:
                        config.CACHE_DIR = str(cache.directory(self.module))
                        signature = types.int64(*([types.int64] * self._arity))
                        self._function = numba.njit(signature, cache=True, nogil=True, error_model="numpy")(self.python)
                        cache.mark(self.module, self.name).touch()
        return self._function

    @property
    def is_cached(self) -> bool:
        """True when the first call will not have to compile."""
        return not JIT or self._function is not None or cache.mark(self.module, self.name).exists()

    def prepare(self) -> None:
        """Compile, or load from the cache, now."""
        _ = self.function

    def __call__(self, *args: int) -> int:
        return self.function(*args)

    def __repr__(self) -> str:
        return f"<compiled {self.module}.{self.name}>"


def compiled(function: Callable[..., int]) -> Compiled:
    """Declare a function that Python calls with 64-bit integers and that runs without the GIL."""
    return Compiled(function)


# only kernels call helpers: without the wrappers for Python and C they compile a third faster
_NO_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def helper(function: F) -> F:
    """Declare a small function used inside kernels; it is always inlined (LLVM alone leaves calls in hot loops)."""
    if not JIT:
        return function
    import numba

    made: Any = numba.njit(error_model="numpy", forceinline=True, **_NO_WRAPPERS)(function)
    return cast(F, made)


def routine(function: F) -> F:
    """Declare a function for the rare paths of kernels: called, not inlined, so that the kernel stays small."""
    if not JIT:
        return function
    import numba

    made: Any = numba.njit(error_model="numpy", **_NO_WRAPPERS)(function)
    return cast(F, made)
