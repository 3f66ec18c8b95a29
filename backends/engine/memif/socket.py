"""memif's control channel as a socket: messages with file descriptors in and out, never waiting.

Names of sockets: a path, or ``abstract:NAME`` for one in the host's abstract namespace, as in VPP.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import suppress

from vectorplane.backends.engine.memif.messages import SIZE, Disconnect, ProtocolError, build, parse
from vectorplane.backends.engine.memif.session import PeerLeft, Session

MODE = 0o660
ABSTRACT = "abstract:"
_MOST_AT_ONCE = 64
_MOST_FDS = 8
_LONGEST = 107
"""Bytes that the name of a unix socket may have on Linux."""


def address_of(name: str) -> str | bytes:
    """The address that a socket's name stands for.

    Raises:
        ValueError: there can be no such socket.
    """
    address = "\0" + name.removeprefix(ABSTRACT) if name.startswith(ABSTRACT) else name
    if len(address) < 2 or "\0" in address[1:] or len(os.fsencode(address)) > _LONGEST:
        raise ValueError(f"memif: {name!r} is no name for a socket: a path or {ABSTRACT}NAME, at most {_LONGEST} bytes")
    return address


def listen(name: str) -> socket.socket:
    """A listening socket, mode 0660; a file that nobody listens at is replaced. Raises `OSError`, `ValueError`."""
    address = address_of(name)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        made.setblocking(False)
        if name.startswith(ABSTRACT):
            made.bind(address)
        else:
            _clear(name)
            os.fchmod(made.fileno(), MODE)  # what the file gets when it is made; no moment with another mode
            made.bind(address)
            os.chmod(name, MODE)
        made.listen(16)
    except OSError as error:
        made.close()
        raise OSError(error.errno, error.strerror or str(error), name) from error
    return made


def _clear(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, "somebody listens there")


def connect(name: str) -> socket.socket:
    """A connection to a server. Raises `OSError`, `ValueError`."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        made.setblocking(False)
        made.connect(address_of(name))
    except BaseException:
        made.close()
        raise
    return made


class ControlSocket:
    """A connection and its session."""

    def __init__(self, connection: socket.socket, session: Session) -> None:
        self._socket, self.session = connection, session
        connection.setblocking(False)
        self.fd = connection.fileno()

    def service(self) -> None:
        """Take what has come, say what is to be said.

        Raises:
            ProtocolError: the connection is to be ended, for this reason.
        """
        self._flush()
        for _ in range(_MOST_AT_ONCE):
            try:
                data, fds, flags = self._receive()
            except BlockingIOError:
                return
            except OSError as error:
                raise PeerLeft(f"connection lost: {error.strerror}") from error
            self._take(data, fds, flags)
            self._flush()

    def _receive(self) -> tuple[bytes, list[int], int]:
        space = socket.CMSG_SPACE(4 * _MOST_FDS)
        data, ancillary, flags, _ = self._socket.recvmsg(SIZE, space, socket.MSG_CMSG_CLOEXEC)
        fds: list[int] = []
        for level, kind, raw in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = len(raw) // 4
                fds += struct.unpack(f"={whole}i", raw[: 4 * whole])
        return data, fds, flags

    def _take(self, data: bytes, fds: list[int], flags: int) -> None:
        try:
            if not data and not fds:
                raise PeerLeft("connection closed")
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(fds) > 1:
                raise ProtocolError("message that is too long, or has several file descriptors")
            self.session.receive(parse(data), fds[0] if fds else -1)
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise

    def _flush(self) -> None:
        outgoing = self.session.outgoing
        while outgoing:
            message, fd = outgoing.popleft()
            try:
                if fd >= 0:
                    socket.send_fds(self._socket, [build(message)], [fd])
                else:
                    self._socket.send(build(message))
            except BlockingIOError as error:
                raise ProtocolError("the peer does not read its messages") from error
            except OSError as error:
                raise PeerLeft(f"connection lost: {error.strerror}") from error

    def end(self, reason: str | None) -> None:
        """Close the connection; the peer is told why, unless ``reason`` is None."""
        if reason is not None:
            with suppress(OSError):
                self._socket.send(build(Disconnect(0, reason.encode())))
                for _ in range(_MOST_AT_ONCE):  # closed with something unread, the peer would get an error instead
                    data, fds, _ = self._receive()
                    for fd in fds:
                        os.close(fd)
                    if not data:
                        break
        for fd in self.session.take_fds():
            os.close(fd)
        self._socket.close()
