"""Which machine code may be reused: a cache directory a kernel, keyed by all that it was made from.

numba has a cache too, but it looks only at the file that holds the function. A helper, a dtype or a constant
imported from elsewhere may change and the old machine code then runs on a new memory layout,
silently. So each kernel's cache lives in a directory named by a hash over the source of its module,
of every vectorplane (or plugin) module that it imports, directly or not, and of the versions of
Python, numba, llvmlite, numpy and the CPU. A changed constant is a new directory; nothing stale can
be found in it. What is kept is the plain object file, which LLVM's linker loads in under a
millisecond; numba's typing machinery (0.4 s) stays asleep. See docs/decisions/kernel-cache.md.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import struct
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from types import FunctionType

# imports at the outer level only: those in functions, and those for the type checker, cannot reach a kernel, and
# whether their modules are loaded depends on the process
_IMPORT = re.compile(rb"^(?:from[ \t]+([\w.]+)[ \t]+import\b[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([\w., \t]+))", re.M)
_NAME = re.compile(rb"\w+")
_STARTED = time.time()
_MAGIC = b"VPKERN1\0"
_HEAD = 24


def root() -> Path:
    """The directory below which all kernel caches lie (``VECTORPLANE_CACHE_DIR`` overrides it)."""
    chosen = os.environ.get("VECTORPLANE_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "vectorplane" / "kernels"


@functools.cache
def _toolchain() -> bytes:
    cpu = ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            lines = f.read(4096).splitlines()
        cpu = "\n".join(x for x in lines if x.startswith(("model name", "cpu family", "model\t", "flags")))[:4096]
    except OSError:
        cpu = platform.processor()
    parts = [sys.version, cpu, *(version(p) for p in ("numba", "llvmlite", "numpy"))]
    return "\0".join(parts).encode()


@functools.cache
def _source(path: str) -> tuple[bytes, bytes]:
    """Digest and text of one source file."""
    with open(path, "rb") as f:
        text = f.read()
    return hashlib.blake2b(text, digest_size=16).digest(), text


def _absolute(name: str, importer: str, is_package: bool) -> str:
    if not name.startswith("."):
        return name
    dots = len(name) - len(name.lstrip("."))
    parts = importer.split(".")
    keep = len(parts) - dots + (1 if is_package else 0)
    return ".".join(parts[:keep] + ([name[dots:]] if name[dots:] else []))


@functools.cache
def _direct_imports(module: str) -> tuple[str, ...]:
    """Names of the modules of the same project that ``module``'s source imports."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or not file.endswith(".py"):
        return ()
    top = {"vectorplane", module.partition(".")[0]}
    is_package = file.endswith("__init__.py")
    found: set[str] = set()
    for match in _IMPORT.finditer(_source(file)[1]):
        if match[1] is not None:
            base = _absolute(match[1].decode(), module, is_package)
            candidates = [base] + [f"{base}.{n.decode()}" for n in _NAME.findall(match[2])]
        else:
            candidates = [n.strip().split()[0].decode() for n in match[3].split(b",") if n.strip()]
        found.update(c for c in candidates if c.partition(".")[0] in top and c in sys.modules)
    found.discard(module)
    return tuple(sorted(found))


def closure(module: str) -> tuple[str, ...]:
    """``module`` and every module of the project that it imports, directly or not, sorted."""
    seen = {module}
    queue = [module]
    while queue:
        for name in _direct_imports(queue.pop()):
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return tuple(sorted(seen))


@functools.cache
def key(module: str) -> str:
    """Hash over all that machine code made from ``module`` depends on (32 hexadecimal digits)."""
    digest = hashlib.blake2b(_toolchain(), digest_size=16)
    for name in closure(module):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and file.endswith(".py"):
            digest.update(name.encode())
            digest.update(_source(file)[0])
            if os.stat(file).st_mtime >= _STARTED:
                # edited while this process runs: what was imported may not be what lies there now
                digest.update(f"{os.getpid()} {_STARTED}".encode())
    return digest.hexdigest()


def keeps(function: FunctionType) -> bool:
    """May this function's machine code be kept? Not when it has no source file, or is made in another function."""
    file = getattr(sys.modules.get(function.__module__), "__file__", None) or ""
    return file.endswith(".py") and function.__closure__ is None


def file_of(function: FunctionType) -> Path:
    """Where the machine code of a function is kept; the file is there when it has been compiled."""
    name = re.sub(r"\W", "_", function.__qualname__)
    return root() / key(function.__module__) / f"{name}-{function.__code__.co_firstlineno}.kernel"


def save(path: Path, symbol: str, code: bytes) -> None:
    """Keep an object file and the name of the function in it; whole or not at all (directories have mode 0700)."""
    root().mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    body = struct.pack("<I", len(symbol)) + symbol.encode() + code
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_bytes(_MAGIC + hashlib.blake2b(body, digest_size=16).digest() + body)
    temporary.rename(path)


def load(path: Path) -> tuple[str, bytes] | None:
    """What `save` has kept: the function's name and the object file; None when there is none, or it is damaged."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    body = raw[_HEAD:]
    if raw[:8] != _MAGIC or hashlib.blake2b(body, digest_size=16).digest() != raw[8:_HEAD] or len(body) < 4:
        return None
    size = struct.unpack_from("<I", body)[0]
    return body[4 : 4 + size].decode(), body[4 + size :]
