"""``vectorplane cli``: lines of the debug CLI to a running instance (or to a VPP), one or one after the other."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from vectorplane.cli.errors import fail
from vectorplane.control.debug_cli.telnet import DONE, FAILED, NO_TERMINAL, Telnet, hello
from vectorplane.control.management_client import run_dir

_PROMPT = "vpp# "


class Gone(Exception):
    """The other end closed the connection; ``text`` came before."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__("the instance has gone")


class CliClient:
    """A session at a CLI socket.

    Raises:
        OSError: nobody is there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._telnet, self._rest = Telnet(), b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(os.fspath(path))
            self._socket.sendall(hello(NO_TERMINAL))
        except OSError:
            self._socket.close()
            raise

    def run(self, line: str) -> tuple[str, bool]:
        """Its output, and whether it worked (VPP's own CLI does not tell; it always did then).

        Raises:
            Gone: the connection ended (after `quit`, say).
        """
        self._socket.sendall(line.replace("\0", "").encode() + b"\n")
        text = b""
        while DONE not in self._rest:
            text += self._rest
            data = self._socket.recv(65536)
            if not data:
                raise Gone(_plain(text))
            self._rest = self._telnet.feed(data)
        end, _, self._rest = self._rest.partition(DONE)
        text += end
        failed = text.endswith(FAILED)
        return _plain(text.removesuffix(FAILED)), not failed

    def close(self) -> None:
        """End the session."""
        self._socket.close()


def _plain(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\r\n", "\n")


def run(words: Sequence[str], path: Path | None) -> None:
    """The command. Ends the program with 1 when a line failed, with 2 when nobody answers."""
    path = path or run_dir() / "cli.sock"
    try:
        client = CliClient(path)
    except OSError as error:
        fail(f"{path}: no debug CLI answers ({(error.strerror or str(error)).lower()}); see --socket", 2)
    with contextlib.closing(client):
        try:
            if words:
                ok = _one(client, " ".join(words))
            else:
                ok = _loop(client)
        except Gone as gone:
            print(gone.text, end="")
            ok = True
        except OSError as error:
            fail(f"{path}: {(error.strerror or str(error)).lower()}", 2)
    sys.stdout.flush()
    if not ok:
        sys.exit(1)


def _one(client: CliClient, line: str) -> bool:
    text, ok = client.run(line)
    print(text, end="", file=sys.stdout if ok else sys.stderr)
    return ok


def _loop(client: CliClient) -> bool:
    """Lines from the terminal until `quit`, or from standard input; False when one of the latter failed."""
    terminal = sys.stdin.isatty()
    if terminal:
        import readline  # noqa: F401  (`input` gets history and corrections by it)
    good = True
    while True:
        try:
            line = input(_PROMPT if terminal else "")
        except (EOFError, KeyboardInterrupt):
            if terminal:
                print()
            return good or terminal
        if line.strip():
            good &= _one(client, line)
