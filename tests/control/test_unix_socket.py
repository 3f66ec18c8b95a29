"""Listening sockets: mode, leftovers, what is in the way."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from vectorplane.control.unix_socket import SocketPathError, listen, remove


def test_mode(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listen(path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
    remove(path)
    remove(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_what_a_killed_program_left_is_replaced(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = tmp_path / "s"
    listen(path, kind).close()
    assert path.exists()
    with listen(path, kind), socket.socket(socket.AF_UNIX, kind) as s:
        s.connect(str(path))


def test_one_that_is_in_use_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listen(path):
        with pytest.raises(SocketPathError, match=f"^{path}: another program is listening there"):
            listen(path)
        remove(path)
        assert path.exists()


def test_what_is_in_the_way_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(SocketPathError, match=f"^{path}: there is a file that is not a socket"):
        listen(path)
    remove(path)
    assert path.read_text() == "precious"
    with pytest.raises(SocketPathError, match="there is no directory"):
        listen(tmp_path / "none" / "s")
    with pytest.raises(SocketPathError, match="bytes"):
        listen(tmp_path / ("x" * 120))
