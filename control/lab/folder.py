"""The folder of a lab, and the state in it: what a lab is about to make, written before it makes anything.

``BASE/NAME/state.json``, which the lab holds locked as long as it lives, however it ends. Only what lies in folders
that nobody else may enter is believed.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.management_client import run_dir

_STATE, _LOCK = "state.json", ".lock"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,30}")


class State(BaseModel):
    """What a lab makes. ``token``: what it is all marked by."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    file: str
    pid: int
    token: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    namespaces: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]]


def base_folder() -> Path:
    """Where the folders of labs are when nothing else was said."""
    return run_dir() / "lab"


def _check(folder: Path) -> None:
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise LabError(f"{folder}: not trusted: expected a folder of ours that nobody else may enter (mode 0700)")


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    """Nobody else makes or removes folders in ``base`` meanwhile."""
    base.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        base.mkdir(mode=0o700)
    _check(base)
    with open(base / _LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class LabFolder:
    """The folder of a lab that is being made.

    Raises:
        LabError: there is such a lab, or its remains.
    """

    def __init__(self, base: Path, name: str, file: str, namespaces: list[str]) -> None:
        if not NAME.fullmatch(name):
            raise LabError(f"{name!r} is no name for a lab: letters, digits and _ - . (31 at most)")
        self.path = base.absolute() / name
        self.state = State(file=file, pid=os.getpid(), token=secrets.token_hex(16), namespaces=namespaces)
        with _locked(base):
            try:
                self.path.mkdir(mode=0o700)
            except FileExistsError:
                raise LabError(_occupied(self.path)) from None
            # kept open, and the lock with it, until this process ends
            self._fd = os.open(self.path / _STATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._fd, self.state.model_dump_json().encode())

    def remove(self) -> None:
        """The lab is no more."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._fd)


def _occupied(path: Path) -> str:
    if (pid := living(path)) is not None:
        return f"lab {path.name} is there already (process {pid}); end it, or give this one another --name"
    return f"lab {path.name} was not torn down: `vectorplane lab clean` does that"


def living(path: Path) -> int | None:
    """The process that a lab lives in; None when it has died, or is no lab."""
    try:
        with open(path / _STATE) as f:
            try:
                fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(State.model_validate_json(f.read()).pid)
    except (OSError, ValidationError):
        pass
    return None


@contextmanager
def all_folders(base: Path) -> Iterator[list[Path]]:
    """The folders of all labs, dead and alive; none is made or removed meanwhile. Raises LabError."""
    if not base.is_dir():
        yield []
        return
    with _locked(base):
        yield sorted(path for path in base.absolute().iterdir() if path.is_dir())


def read_state(path: Path) -> State | None:
    """What a lab has in its folder; None for one that died before it made anything.

    Raises:
        LabError: it is not to be trusted.
    """
    _check(path)
    try:
        text = (path / _STATE).read_text()
    except FileNotFoundError:
        text = ""
    if not text:
        return None
    try:
        return State.model_validate_json(text)
    except ValidationError:
        raise LabError(f"{path / _STATE}: not what a lab writes there") from None
