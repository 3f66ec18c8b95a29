"""The CLI's unix socket: plain sessions as vppctl's, terminals, our own client; and the telnet and line parsers."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.backends.engine.engine import Engine
from vectorplane.cli.cli import CliClient, Gone
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.debug_cli.line_editor import EndOfInput, LineEditor
from vectorplane.control.debug_cli.socket import MAX_PENDING, CliSocket
from vectorplane.control.debug_cli.telnet import AYT, GREETING, IAC, TERMINAL_TYPE, Telnet, hello, option


class Host:
    """An engine whose CLI socket is served by a loop on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = Engine()
        self.cli = DebugCli(self.engine)
        self._loop = asyncio.new_event_loop()
        self._socket = CliSocket(self.cli, path)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._call(self._socket.start())

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def talk(self, work: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> Any:
        """Run ``work(reader, writer)`` over a connection."""

        async def connected() -> Any:
            reader, writer = await asyncio.open_unix_connection(str(self.path))
            try:
                async with asyncio.timeout(20):
                    return await work(reader, writer)
            finally:
                writer.close()

        return asyncio.run(connected())

    def close(self) -> None:
        """End it all."""
        self._call(self._socket.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.engine.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One for all tests."""
    made = Host(tmp_path_factory.mktemp("cli") / "cli.sock")
    yield made
    made.close()


VPPCTL = option(TERMINAL_TYPE, b"\0vppctl")


def test_the_socket_is_for_its_owner_and_group(host: Host) -> None:
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o660


def test_a_session_as_vppctl_has_it(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
        greeting = await reader.readexactly(len(GREETING))
        writer.write(VPPCTL)
        writer.write(b"echo hello there\n\0")
        answer = await reader.readuntil(b"\0")
        writer.write(b"nonsense\nquit\n")
        return greeting, answer + await reader.read()

    greeting, answer = host.talk(session)
    assert greeting == GREETING
    assert answer == b"hello there\r\n\0unknown input `nonsense'\r\n"


def test_what_comes_at_once_is_answered_at_once(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await reader.readexactly(len(GREETING))
        writer.write(VPPCTL)
        await asyncio.sleep(0.05)
        writer.write(b"echo a\necho b\nfoo\necho c")
        text = await reader.readuntil(b"\0")
        writer.write(b"quit\nquit\n")
        return text + await reader.read()

    assert host.talk(session) == b"a\r\nb\r\nunknown input `foo'\r\nc\r\n\0"


def test_a_command_in_pieces_and_in_braces(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await reader.readexactly(len(GREETING))
        for piece in (VPPCTL[:5], VPPCTL[5:], b"ec", b"ho {", b"a\n", b"b}\n"):
            writer.write(piece)
            await asyncio.sleep(0.01)
        return await reader.readuntil(b"\0")

    assert host.talk(session) == b"a\r\nb\r\n\0"


def test_a_terminal(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await reader.readexactly(len(GREETING))
        writer.write(option(TERMINAL_TYPE, b"\0xterm") + option(31, bytes([0, 80, 0, 24])))
        text = await reader.readuntil(b"vpp# ")
        writer.write(b"echo hx\x7fi\r")
        text += await reader.readuntil(b"\r\nvpp# ")
        writer.write(bytes([IAC, AYT]) + b"quit\r")
        return text + await reader.read()

    text = host.talk(session)
    assert text.startswith(b"vectorplane: the debug CLI.")
    assert text.endswith(b"vpp# echo hx\b \bi\r\nhi\r\nvpp# vectorplane\r\nquit\r\n")


def test_who_names_no_terminal_gets_the_prompt(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await reader.readexactly(len(GREETING))
        writer.write(b"echo hi\n")
        return await reader.readuntil(b"hi\r\nhi\r\nvpp# ")

    assert host.talk(session)


def test_a_client_that_never_ends_its_line_is_told(host: Host) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await reader.readexactly(len(GREETING))
        writer.write(VPPCTL)
        await asyncio.sleep(0.05)
        writer.write(b"{\n" * (MAX_PENDING // 2 + 1))
        return await reader.read()

    assert b"a command may have at most" in host.talk(session)


def test_our_own_client(host: Host) -> None:
    client, other = CliClient(host.path), CliClient(host.path)
    try:
        assert client.run("echo one") == ("one\n", True)
        assert other.run("show cli-sessions")[0].split()[1] == "sessions"
        assert client.run("nonsense") == ("unknown input `nonsense'\n", False)
        assert client.run("show ip fib") == (host.cli.run("show ip fib"), True)
        assert client.run("") == ("", True)
        with pytest.raises(Gone):
            client.run("quit")
        assert other.run("echo two") == ("two\n", True)
    finally:
        client.close()
        other.close()


def test_many_sessions_and_some_that_vanish(host: Host) -> None:
    clients = [CliClient(host.path) for _ in range(60)]
    for client in clients[::2]:
        client.close()
    assert all(client.run("echo hi") == ("hi\n", True) for client in clients[1::2])
    for client in clients[1::2]:
        client.close()


@pytest.mark.parametrize(
    "junk", [b"\xff", b"\xff\xfa\x18", b"\xff\xfa" + b"x" * 300, b"\x00" * 500, b"\xff\xff\xf0\x80"]
)
def test_junk_instead_of_a_hello(host: Host, junk: bytes) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(junk)
        await writer.drain()

    host.talk(session)
    client = CliClient(host.path)
    assert client.run("echo alive") == ("alive\n", True)
    client.close()


def test_the_socket_goes_and_comes(tmp_path: Path) -> None:
    path = tmp_path / "cli.sock"
    first = Host(path)
    with pytest.raises(OSError, match="listening"):
        asyncio.run(CliSocket(first.cli, path).start())
    first.close()
    assert not path.exists()
    Host(path).close()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=6).map(lambda b: b.replace(b"\xff", b"")), st.sampled_from(
    [bytes([IAC, 253, 24]), bytes([IAC, 240]), option(24, b"\0vt100"), option(31, b"\0\x50\0\x18")])), max_size=8),
    st.integers(1, 5))  # fmt: skip
def test_telnet_commands_are_taken_out_wherever_the_bytes_are_cut(parts: list[bytes], size: int) -> None:
    raw = b"".join(parts)
    whole, cut = Telnet(), Telnet()
    text = whole.feed(raw)
    assert text == b"".join(cut.feed(raw[i : i + size]) for i in range(0, len(raw), size))
    assert text == b"".join(p for p in parts if not p.startswith(bytes([IAC])))
    assert whole.terminal == cut.terminal


def test_hello_is_understood() -> None:
    telnet = Telnet()
    assert telnet.feed(hello("vppctl") + b"x") == b"x"
    assert (telnet.terminal, telnet.mark_failures) == ("vppctl", True)


def editor() -> LineEditor:
    """One that completes three words."""
    return LineEditor("> ", lambda line: [w for w in ("show", "set", "help") if w.startswith(line)])


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        (b"abc\r", ["abc"]),
        (b"abc\r\ndef\n", ["abc", "def"]),
        (b"ab\x7fc\r", ["ac"]),
        (b"junk\x15good\r", ["good"]),
        (b"junk\x03good\r", ["good"]),
        (b"one\r\x1b[A\r", ["one", "one"]),
        (b"one\rtwo\r\x1b[A\x1bOA\r", ["one", "two", "one"]),
        (b"one\r\x1b[A\x1b[B\x1b[5~two\r", ["one", "two"]),
        (b"sh\tx\r", ["show x"]),
        (b"s\tx\r", ["sx"]),
        (b"h?\r", ["h"]),
        (b"\x7f\x07\x80\r", [""]),
    ],
)
def test_line_editing(typed: bytes, lines: list[str]) -> None:
    assert editor().feed(typed)[1] == lines
    one = editor()
    assert [line for byte in typed for line in one.feed(bytes([byte]))[1]] == lines


def test_line_editing_echoes() -> None:
    assert editor().feed(b"ab\x7f\r")[0] == b"ab\b \b\r\n"
    assert editor().feed(b"s?")[0] == b"s\r\nshow  set\r\n> s"
    with pytest.raises(EndOfInput):
        editor().feed(b"\x04")
    assert editor().feed(b"a\x04\r")[1] == ["a"]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=80).map(lambda b: b.replace(b"\x04", b"")))
def test_anything_may_be_typed(typed: bytes) -> None:
    _, lines = editor().feed(typed)
    assert all(line.isprintable() for line in lines)
