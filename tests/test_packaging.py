"""What is built from this tree holds all packages, `py.typed` and the licence, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
FOLDERS = {
    "vectorplane": "vectorplane",
    "bench": "vectorplane/bench",
    "control": "vectorplane/control",
    "backends": "vectorplane/backends",
    "graph_nodes": "vectorplane/graph_nodes",
    "dataplane": "vectorplane/dataplane",
    "pcap": "vectorplane/pcap",
}
DATA = {"vectorplane/py.typed", "vectorplane/backends/engine/dpdk/shim/shim.h"}
_BUILD = "import sys, setuptools.build_meta as b; made = getattr(b, 'build_' + sys.argv[1])(sys.argv[2])"


def _build(what: str, tree: Path, to: Path, dpdk: str = "auto") -> Path:
    """Build with the installed setuptools: nothing is downloaded."""
    command = [sys.executable, "-c", f"{_BUILD}; print('built', made)", what, str(to)]
    environment = os.environ | {"VECTORPLANE_DPDK": dpdk}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return to / done.stdout.splitlines()[-1].removeprefix("built ")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in the repository, so that the build leaves no trace in it."""
    copy = tmp_path_factory.mktemp("tree") / "vectorplane"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "out", "*.egg-info", "_shim*.so")
    shutil.copytree(TOP, copy, ignore=ignored)
    return copy


def _modules() -> set[str]:
    return {
        f"{package}/{path.relative_to(TOP / folder)}"
        for folder, package in FOLDERS.items()
        for path in (TOP / folder).rglob("*.py")
    }


def _is_shim(name: str) -> bool:
    return name.startswith("vectorplane/backends/engine/dpdk/shim/_shim") and name.endswith(".so")


def _code(names: set[str]) -> set[str]:
    return {n for n in names if ".dist-info/" not in n and not _is_shim(n)}


def shim_can_be_built() -> bool:
    """Are DPDK's headers, CMake and a compiler here?"""
    if any(shutil.which(program) is None for program in ("cmake", "cc", "pkg-config")):
        return False
    return subprocess.run(["pkg-config", "--atleast-version=20.11", "libdpdk"], check=False).returncode == 0


def test_wheel(tree: Path, tmp_path: Path) -> None:
    wheel = _build("wheel", tree, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = next(archive.read(n).decode() for n in names if n.endswith("entry_points.txt"))
    assert _code(names) == _modules() | DATA
    assert "vectorplane = vectorplane.cli:main" in entry_points
    assert any(n.endswith("LICENSE") for n in names)


def test_wheel_from_sdist(tree: Path, tmp_path: Path) -> None:
    sdist = _build("sdist", tree, tmp_path)
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    shutil.unpack_archive(sdist, tmp_path / "unpacked")
    for wanted in (
        "README.md",
        "LICENSE",
        "Makefile",
        "CMakeLists.txt",
        "backends/engine/dpdk/shim/port.c",
        "examples/router.yaml",
        "tests/conftest.py",
        "docs/architecture.md",
    ):
        assert wanted in names
    wheel = _build("wheel", next((tmp_path / "unpacked").iterdir()), tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert _code(names) == _modules() | DATA
    # the sources of the shim are there: from an sdist it is built as from a clone
    assert any(_is_shim(n) for n in names) == shim_can_be_built()


def test_wheel_without_dpdk(tree: Path, tmp_path: Path) -> None:
    wheel = _build("wheel", tree, tmp_path, dpdk="off")
    with zipfile.ZipFile(wheel) as archive:
        assert not any(_is_shim(n) for n in archive.namelist())
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.parametrize(("dpdk", "error"), [("require", "there is no pkg-config"), ("x", "is auto, require or off")])
def test_a_shim_that_must_be_there(tree: Path, tmp_path: Path, dpdk: str, error: str) -> None:
    command = [sys.executable, "-c", _BUILD, "wheel", str(tmp_path)]
    environment = {"PATH": "/nowhere", "VECTORPLANE_DPDK": dpdk}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and error in done.stderr


def test_every_folder_with_code_is_a_package() -> None:
    for name in _modules():
        folder = Path(name).parent
        assert f"{folder}/__init__.py" in _modules(), f"{folder} has no __init__.py"


def test_public_names() -> None:
    import vectorplane

    for name in vectorplane.__all__:
        assert getattr(vectorplane, name) is not None
    with pytest.raises(AttributeError):
        _ = vectorplane.no_such_name


def test_import_is_cheap() -> None:
    """Importing the package, or asking for the help, loads neither numba nor numpy."""
    code = (
        "import sys, vectorplane, vectorplane.cli.app; print({'numba', 'numpy', 'pydantic', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
