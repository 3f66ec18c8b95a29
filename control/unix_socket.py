"""Listening unix sockets: mode 0660, in place only once they listen, a stale file replaced, a living one never."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

MODE = 0o660
_LONGEST = 107
"""Bytes that the path of a unix socket may have on Linux."""
_SUFFIX = "~"


class SocketPathError(OSError):
    """There can't be a socket at this path; the text names the path and says why."""


def listen(path: Path | str, kind: int = socket.SOCK_STREAM, backlog: int = 512) -> socket.socket:
    """A listening unix socket at ``path``; ``kind`` is SOCK_STREAM or SOCK_SEQPACKET.

    Raises:
        SocketPathError: the directory is missing, the path is too long, something else is there, somebody answers.
    """
    path = Path(path)
    if len(os.fsencode(path)) + len(_SUFFIX) > _LONGEST:
        raise SocketPathError(f"{path}: the path of a socket has at most {_LONGEST - len(_SUFFIX)} bytes")
    if not path.parent.is_dir():
        raise SocketPathError(f"{path}: there is no directory {path.parent}")
    _check_vacant(path, kind)
    new = path.with_name(path.name + _SUFFIX)
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        new.unlink(missing_ok=True)
        listener.bind(str(new))
        new.chmod(MODE)
        listener.listen(backlog)
        new.rename(path)  # whoever sees the file can connect
    except OSError as e:
        listener.close()
        raise SocketPathError(f"{path}: {e.strerror}") from e
    return listener


def _check_vacant(path: Path, kind: int) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as e:
        raise SocketPathError(f"{path}: {e.strerror}") from e
    if not stat.S_ISSOCK(mode):
        raise SocketPathError(f"{path}: there is a file that is not a socket")
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            probe.connect(str(path))
        except OSError as e:
            if e.errno in (errno.ECONNREFUSED, errno.ENOENT):
                return
            raise SocketPathError(f"{path}: {e.strerror}; another program may be using it") from e
    raise SocketPathError(f"{path}: another program is listening there")


def remove(path: Path | str, kind: int = socket.SOCK_STREAM) -> None:
    """Take the file of a closed socket away, unless somebody else listens there by now."""
    try:
        _check_vacant(Path(path), kind)
        Path(path).unlink(missing_ok=True)
    except OSError:
        return
