"""Takes away what a lab made, be it at its end or killed: processes, namespaces, the folder. Nothing else."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vectorplane.backends.engine.host.namespace import FOLDER
from vectorplane.control.lab import namespaces
from vectorplane.control.lab.folder import State, all_folders, living, read_state
from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.lab.processes import end_all, has_token, is_in


@dataclass(frozen=True)
class Removed:
    """How many processes, and which namespaces; ``foreign``: those of our names that somebody else has."""

    processes: int
    namespaces: tuple[str, ...]
    foreign: tuple[str, ...]


def tear_down(state: State) -> Removed:
    """End the lab's processes and remove its namespaces. A namespace without the lab's mark is left alone."""
    ours = tuple(n for n in state.namespaces if namespaces.is_marked(n, state.token))
    ids = set()
    for name in ours:
        with suppress(OSError):
            ids.add(namespaces.identity(name))
    ended = end_all(lambda pid: has_token(pid, state.token) or is_in(pid, ids))
    for name in ours:
        with suppress(FileNotFoundError):
            namespaces.remove(name)
    foreign = tuple(n for n in state.namespaces if n not in ours and (FOLDER / n).exists())
    return Removed(ended, ours, foreign)


@dataclass(frozen=True)
class Cleaned:
    """What became of one lab's folder: ``removed``, or why it was left (``left``), or the process that it lives in."""

    name: str
    removed: Removed | None = None
    alive: int | None = None
    left: str | None = None


def clean(base: Path) -> list[Cleaned]:
    """Tear down all labs whose process has died.

    Raises:
        LabError: the folder is not to be trusted.
    """
    done = []
    with all_folders(base) as folders:
        for path in folders:
            if (pid := living(path)) is not None:
                done.append(Cleaned(path.name, alive=pid))
                continue
            try:
                state = read_state(path)
            except LabError as error:
                done.append(Cleaned(path.name, left=str(error)))
                continue
            removed = Removed(0, (), ()) if state is None else tear_down(state)
            shutil.rmtree(path, ignore_errors=True)
            done.append(Cleaned(path.name, removed))
    return done
