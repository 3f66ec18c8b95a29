"""What is built from this tree holds all packages, `py.typed` and the licence, and nothing else."""

from __future__ import annotations

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
_BUILD = "import sys, setuptools.build_meta as b; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"


def _build(what: str, tree: Path, to: Path) -> Path:
    """Build with the installed setuptools: nothing is downloaded."""
    command = [sys.executable, "-c", _BUILD, what, str(to)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return to / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in the repository, so that the build leaves no trace in it."""
    copy = tmp_path_factory.mktemp("tree") / "vectorplane"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "out", "*.egg-info")
    shutil.copytree(TOP, copy, ignore=ignored)
    return copy


def _modules() -> set[str]:
    return {
        f"{package}/{path.relative_to(TOP / folder)}"
        for folder, package in FOLDERS.items()
        for path in (TOP / folder).rglob("*.py")
    }


def test_wheel(tree: Path, tmp_path: Path) -> None:
    wheel = _build("wheel", tree, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = next(archive.read(n).decode() for n in names if n.endswith("entry_points.txt"))
    code = {n for n in names if ".dist-info/" not in n}
    assert code == _modules() | {"vectorplane/py.typed"}
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
        "examples/router.yaml",
        "tests/conftest.py",
        "docs/architecture.md",
    ):
        assert wanted in names
    wheel = _build("wheel", next((tmp_path / "unpacked").iterdir()), tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        assert {n for n in archive.namelist() if ".dist-info/" not in n} == _modules() | {"vectorplane/py.typed"}


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
