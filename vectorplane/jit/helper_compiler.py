"""How helpers are compiled: to LLVM code that waits to be linked into kernels, and no further.

numba makes each function ready to be called from Python: it links what the function calls, optimizes the whole as
well as it can and emits machine code. Nobody calls a helper but kernels, which have its code linked in and optimized
once more, so a light optimization is enough (docs/decisions/kernel-cache.md).

The methods overridden are numba's own, not its public interface. Should a later numba no longer call one of them,
helpers are compiled as numba does it, which takes longer and changes nothing else.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class _WithoutEnvironment:
    """numba's code generator, for a function without machine code: there is nowhere to write its environment to."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, env: Any) -> None:
        """Kernels run without Python's interpreter, so that their helpers never read it."""


class HelperLibrary(JITCodeLibrary):
    """The code of a helper and of all that it calls."""

    def _optimize_final_module(self) -> None:
        # LLVM's first level: what it leaves is small, and the kernel's own third level then makes the most of it
        passes, builder = self._codegen._module_pass_manager(
            loop_vectorize=False, slp_vectorize=False, opt=1, cost="cheap"
        )
        passes.run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironment(self._codegen)


class HelperCompiler(Compiler):
    """numba's pipeline for a function that only kernels call."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        if library is None:
            library = HelperLibrary(targetctx.codegen(), "helper")
            library.enable_object_caching()
        super().__init__(typingctx, targetctx, library, *rest)
