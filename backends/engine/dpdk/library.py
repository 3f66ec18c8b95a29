"""The shim, as cffi loads it. Importing this never fails; `load` says what is missing and how to get it.

The shim is built when vectorplane is installed and DPDK's headers are there (`setup.py`), as ``shim/_shim*.so``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from vectorplane.backends.base import BackendError

FOLDER = Path(__file__).parent / "shim"
"""No package, so that nobody takes the library for a module of Python."""
API = 2
"""Of the flat API that this program speaks (``VP_API`` of shim.h)."""
HOW_TO_BUILD = (
    "install DPDK and build again: apt-get install libdpdk-dev dpdk cmake pkg-config gcc, "
    "then VECTORPLANE_DPDK=require pip install --force-reinstall --no-deps --no-binary :all: vectorplane "
    "(in a source tree: touch setup.py; VECTORPLANE_DPDK=require make setup)"
)
_BEGIN, _END = "/* cdef: begin */", "/* cdef: end */"


class DpdkMissing(BackendError):
    """There is no shim, or it cannot be loaded."""


def shim_file() -> Path | None:
    """The shim, if it was built."""
    return next(iter(sorted(FOLDER.glob("_shim*.so"))), None)


def declarations() -> str:
    """What shim.h declares, for cffi."""
    text = (FOLDER / "shim.h").read_text(encoding="utf-8")
    return text.partition(_BEGIN)[2].partition(_END)[0]


@lru_cache(maxsize=1)
def load() -> tuple[Any, Any]:
    """The library and cffi's ffi.

    Raises:
        DpdkMissing: it was not built, DPDK's libraries are gone, or it is one of another version.
    """
    from cffi import FFI as Ffi

    path = shim_file()
    if path is None:
        raise DpdkMissing(f"DPDK: vectorplane was installed without its shim: {HOW_TO_BUILD}")
    ffi: Any = cast(Any, Ffi)()
    try:
        ffi.cdef(declarations())
        library = ffi.dlopen(str(path))
    except OSError as error:
        raise DpdkMissing(
            f"DPDK: {error}: its libraries are missing or others than at the build; {HOW_TO_BUILD}"
        ) from error
    if int(library.vp_api()) != API:
        raise DpdkMissing(f"DPDK: {path.name} is of another version of vectorplane: {HOW_TO_BUILD}")
    return library, ffi


def address_of(name: str) -> int:
    """Address of one of the shim's functions, for kernels."""
    library, ffi = load()
    return int(ffi.cast("intptr_t", ffi.addressof(library, name)))
