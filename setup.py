"""Maps the top-level folders to ``vectorplane.<folder>``, and builds the shim to DPDK where that is possible.

Everything else is in pyproject.toml. ``VECTORPLANE_DPDK``: ``auto`` (the default) builds the shim when pkg-config finds
libdpdk and there are CMake and a C compiler; ``require`` fails when it cannot be built; ``off`` never builds it.
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDERS = {
    "dataplane": "dataplane",
    "graph_nodes": "graph_nodes",
    "backends": "backends",
    "control": "control",
    "pcap": "pcap",
    "bench": "bench",
}
SHIM = "vectorplane.backends.engine.dpdk.shim._shim"
NEEDED = ("pkg-config", "cmake", "cc")
HINT = "Debian: apt-get install libdpdk-dev cmake pkg-config gcc make"


def packages() -> dict[str, str]:
    """Package name to folder, sub-packages included (a folder with an ``__init__.py``)."""
    found = {"vectorplane": "vectorplane"}
    for base, root in [("vectorplane", "vectorplane"), *((f"vectorplane.{n}", f) for n, f in FOLDERS.items())]:
        for folder, _, files in os.walk(root):
            if "__init__.py" in files:
                found[".".join([base, *os.path.relpath(folder, root).split(os.sep)]).rstrip(".")] = folder
    return found


def missing() -> str:
    """Why the shim cannot be built; empty: it can."""
    for program in NEEDED:
        if shutil.which(program) is None:
            return f"there is no {program}"
    if subprocess.run(["pkg-config", "--atleast-version=20.11", "libdpdk"], check=False).returncode:
        return "pkg-config knows no libdpdk of 20.11 or later"
    return ""


def extensions() -> list[Extension]:
    """The shim, or nothing."""
    mode = os.environ.get("VECTORPLANE_DPDK", "auto")
    if mode not in ("auto", "require", "off"):
        raise SystemExit(f"VECTORPLANE_DPDK is auto, require or off, not {mode!r}")
    why = "" if mode == "off" else missing()
    if mode == "require" and why:
        raise SystemExit(f"VECTORPLANE_DPDK=require: {why} ({HINT})")
    # with `auto` a shim that does not compile is none: everything else works without
    return [] if mode == "off" or why else [Extension(SHIM, sources=[], optional=mode == "auto")]


class build_shim(build_ext):
    """Has CMake build the shim where setuptools wants a module of that name."""

    def build_extension(self, ext: Extension) -> None:
        """Configure and build; raises what CMake says."""
        place = Path(self.get_ext_fullpath(ext.name)).resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(self.build_temp).resolve() / "shim"
        where = [f"-DVECTORPLANE_SHIM_DIR={place.parent}", f"-DVECTORPLANE_SHIM_NAME={place.stem}"]
        try:
            subprocess.run(["cmake", "-S", ".", "-B", str(work), *where], check=True)
            subprocess.run(["cmake", "--build", str(work)], check=True)
        except subprocess.CalledProcessError as error:
            from setuptools.errors import CompileError

            raise CompileError(f"the shim to DPDK was not built: {error}") from error


mapped = packages()
setup(
    packages=sorted(mapped),
    package_dir=mapped,
    package_data={"vectorplane": ["py.typed"], "vectorplane.backends.engine.dpdk": ["shim/shim.h"]},
    include_package_data=False,
    ext_modules=extensions(),
    cmdclass={"build_ext": build_shim},
)
