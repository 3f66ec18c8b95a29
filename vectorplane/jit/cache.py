"""Which machine code may be reused: a cache directory a kernel, keyed by all that it was made from.

numba's own cache looks only at the file that holds the function. A helper, a dtype or a constant
imported from elsewhere may change and the old machine code then runs on a new memory layout,
silently. So each kernel's cache lives in a directory named by a hash over the source of its module,
of every vectorplane (or plugin) module that it imports, directly or not, and of the versions of
Python, numba, llvmlite, numpy and the CPU. A changed constant is a new directory; nothing stale can
be found in it. See docs/decisions/kernel-cache.md.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([\w., \t]+))", re.M
)
_NAME = re.compile(rb"\w+")
_STARTED = time.time()


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


def directory(module: str) -> Path:
    """The cache directory of ``module``'s kernels, made (mode 0700) if it is missing."""
    base = root()
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = base / key(module)
    path.mkdir(exist_ok=True, mode=0o700)
    return path


def mark(module: str, name: str) -> Path:
    """The file whose presence says that kernel ``name`` of ``module`` has been compiled and stored."""
    file = getattr(sys.modules[module], "__file__", "") or ""
    stamp = os.stat(file).st_mtime_ns if file else 0
    where = hashlib.blake2b(file.encode(), digest_size=6).hexdigest()
    return root() / key(module) / f"{name}-{where}-{stamp}.ok"
