"""The debug CLI's unix socket (``unix { cli-listen PATH }``), for vppctl, telnet-like clients and `vectorplane cli`.

As VPP does it: a session begins with telnet options. A terminal gets a banner, a prompt, echo and history; a client
that says it is `vppctl` gets the plain output (lines end with CR LF) and a NUL behind each command's. Who names no
terminal type within a second gets the prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.line_editor import EndOfInput, LineEditor
from vectorplane.control.debug_cli.telnet import DONE, FAILED, GREETING, NO_TERMINAL, Telnet
from vectorplane.control.unix_socket import listen, remove

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

PROMPT = "vpp# "
BANNER = "vectorplane: the debug CLI. `?` lists commands, `quit` ends the session.\n\n"
MAX_SESSIONS = 256
MAX_PENDING = 1 << 20
"""Most bytes of a command that is not complete yet."""
_MARKS = re.compile(r"[{}\n]")
_PATIENCE = 1.0
"""Seconds for a client to name its terminal, or to go."""
_LINE_END = 0.1
"""Seconds after which a line of vppctl that has no end is taken as it is."""


class CliSocket:
    """Listens on a unix socket and serves sessions until `close`."""

    def __init__(self, cli: DebugCli, path: str | os.PathLike[str], *, banner: bool = True) -> None:
        self._cli, self.path, self._banner = cli, os.fspath(path), banner
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make the socket and begin to listen.

        Raises:
            OSError: it cannot be made, or another process listens on it (`vectorplane.control.unix_socket`).
        """
        self._server = await asyncio.start_unix_server(self._connected, sock=listen(self.path), limit=MAX_PENDING)

    async def close(self) -> None:
        """End all sessions and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        remove(self.path)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._cli.sessions += 1
        try:
            if len(self._tasks) > MAX_SESSIONS:
                writer.write(b"too many sessions\r\n")
                return
            await _Session(self._cli, reader, writer, self._banner).run()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._cli.sessions -= 1
            writer.close()


class _Session:
    """One client."""

    def __init__(self, cli: DebugCli, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, banner: bool) -> None:
        self._cli, self._reader, self._writer, self._banner = cli, reader, writer, banner
        self._telnet = Telnet()
        self._pending = ""
        self._scanned = self._depth = 0

    async def run(self) -> None:
        """Serve it until it goes or says `quit`."""
        self._writer.write(GREETING)
        text = await self._wait_for_terminal()
        if text is None:
            return
        terminal = self._telnet.terminal
        if terminal is not None and terminal and NO_TERMINAL.startswith(terminal.lower()):
            await self._plain(text)
        else:
            await self._interactive(text)

    async def _wait_for_terminal(self) -> bytes | None:
        """What the client sent besides, until it named its terminal or time is up; None: it is gone."""
        text = b""
        try:
            async with asyncio.timeout(_PATIENCE):
                while self._telnet.terminal is None and len(text) < MAX_PENDING:
                    data = await self._reader.read(4096)
                    if not data:
                        return None
                    text += self._telnet.feed(data)
        except TimeoutError:
            pass
        return text

    async def _plain(self, data: bytes) -> None:
        """No prompt and no echo. A NUL says that all that came was run; our own client gets one behind each command.

        vppctl reads its standard input in pieces and wants to leave at its end with the first NUL that comes: what it
        sends at once is answered at once, and a last line may lack its end.
        """
        marks = self._telnet.mark_failures
        while True:
            # telnet commands are no longer looked for: what comes is text (as in VPP)
            self._pending += data.decode("utf-8", "replace").replace("\0", "").replace("\r", "")
            ran = False
            while (line := self._next_command()) is not None:
                failed, more = self._answer(line)
                if not more:
                    return await self._leave()
                ran = True
                if marks:
                    self._writer.write((FAILED if failed else b"") + DONE)
                await self._writer.drain()
            if ran and not marks and not self._pending:
                self._writer.write(DONE)
            if len(self._pending) > MAX_PENDING:
                self._write(f"a command may have at most {MAX_PENDING} characters\n")
                return
            try:
                async with asyncio.timeout(_LINE_END if self._pending and not marks else None):
                    data = await self._reader.read(65536)
            except TimeoutError:
                data = b"\n"
            if not data:
                return

    def _answer(self, line: str) -> tuple[bool, bool]:
        """Run a command and write its output; gives whether it failed, whether the session goes on."""
        text, failed, more = self._execute(line)
        self._write(text)
        return failed, more

    async def _leave(self) -> None:
        """Say that nothing more comes, and wait until the client has gone: it may still be reading."""
        await self._writer.drain()
        self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while await self._reader.read(65536):
                    pass

    def _next_command(self) -> str | None:
        """The first whole command of what is pending: a line, or several while a brace is open."""
        for mark in _MARKS.finditer(self._pending, self._scanned):
            self._scanned = mark.end()
            if mark[0] != "\n":
                self._depth = max(0, self._depth + (1 if mark[0] == "{" else -1))
            elif self._depth == 0:
                command, self._pending = self._pending[: mark.start()], self._pending[mark.end() :]
                self._scanned = 0
                return command
        self._scanned = len(self._pending)
        return None

    async def _interactive(self, data: bytes) -> None:
        editor = LineEditor(PROMPT, self._cli.complete)
        self._write((BANNER if self._banner else "") + PROMPT)
        while True:
            try:
                echo, lines = editor.feed(data)
            except EndOfInput:
                self._write("\n")
                return
            self._writer.write(echo)
            for line in lines:
                text, _, more = self._execute(line)
                if not more:
                    return
                self._write(text + PROMPT)
            await self._writer.drain()
            raw = await self._reader.read(4096)
            if not raw:
                return
            data = self._telnet.feed(raw)
            if self._telnet.asked:
                self._telnet.asked = False
                self._write("vectorplane\n")

    def _execute(self, line: str) -> tuple[str, bool, bool]:
        """Run a command; gives its output, whether it failed, whether the session goes on."""
        try:
            with self._cli.engine.paused():
                text, more = self._cli.run_in_session(line)
        except CliError as error:
            return error.text, True, True
        return text, False, more

    def _write(self, text: str) -> None:
        self._writer.write(text.replace("\n", "\r\n").encode())
