"""The management socket and the controller behind it: requests, answers, bad input, reloads."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.memory_backend import MemoryBackend, read
from vectorplane.control import management
from vectorplane.control.controller import Controller
from vectorplane.control.management import ManagementServer
from vectorplane.control.management_client import Client, NoInstance, Refused
from vectorplane.control.management_methods import Methods
from vectorplane.control.scheduler import Scheduler


class Running:
    """A controller and its management server on a loop in a thread."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "c.conf"
        self.config.write_text("a\nb\n")
        self.socket = folder / "run" / "m.sock"
        self.backend = MemoryBackend()
        self.controller = Controller(self.backend, Scheduler(self.backend), read, str(self.config))
        self.server = ManagementServer(str(self.socket), Methods(self.controller).all())
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.await_(self.controller.start())
        self.await_(self.server.start())

    def await_(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def do(self, work: Callable[[], Any]) -> Any:
        async def inner() -> Any:
            return work()

        return self.await_(inner())

    def stop(self) -> None:
        self.await_(self.server.close())
        self.await_(self.controller.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def raw(self, data: bytes) -> list[dict[str, Any]]:
        """Everything that is answered to these bytes."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.socket))
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            with s.makefile("rb") as lines:
                return [json.loads(line) for line in lines]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    with Client(running.socket) as made:
        yield made


def test_the_socket_may_be_used_by_its_group_only(running: Running) -> None:
    assert stat.S_IMODE(os.stat(running.socket).st_mode) == 0o660


def test_the_socket_goes_with_the_instance(tmp_path: Path) -> None:
    made = Running(tmp_path)
    made.stop()
    assert not made.socket.exists()


def test_what_was_configured_is_there(running: Running, client: Client) -> None:
    assert [row["text"] for row in client.call("dump", kind="interface")] == [
        "interface a loopback",
        "interface b loopback",
    ]
    assert {row["kind"] for row in client.call("dump")} == {"interface", "up"}
    assert client.call("dump", kind="route") == []
    status = client.call("status")
    assert status["items"] == {"applied": 4} and status["applied"] == str(running.config) and not status["mistakes"]
    assert client.call("diff") == []


def test_plan_touches_nothing_and_apply_does_it(running: Running, client: Client) -> None:
    plan = client.call("plan", text="b\nc\n", file="/x/other.conf")
    assert plan["changes"] and {(o["verb"], o["key"]) for o in plan["operations"]} == {
        ("delete", "interface/a/up"),
        ("delete", "interface/a"),
        ("create", "interface/c"),
        ("create", "interface/c/up"),
    }
    assert set(running.backend.held) == {"interface/a", "interface/b", "interface/a/up", "interface/b/up"}
    record = client.call("apply", text="b\nc\n", file="/x/other.conf")
    assert record["outcome"] == "applied" and record["done"]["create interface"] == 1
    assert set(running.backend.held) == {"interface/b", "interface/c", "interface/b/up", "interface/c/up"}
    assert client.call("status")["applied"] == "/x/other.conf"
    assert client.call("apply")["done"]["create interface"] == 1  # back to the file of the instance
    assert "interface/a" in running.backend.held


def test_a_configuration_with_mistakes_changes_nothing(running: Running, client: Client) -> None:
    for method in ("plan", "apply"):
        with pytest.raises(Refused, match=r"^/x/bad.conf:2: interfaces.!z: is a mistake$"):
            client.call(method, text="c\n!z\n", file="/x/bad.conf")
    assert "interface/a" in running.backend.held and "interface/c" not in running.backend.held
    running.config.write_text("!worse\n")
    with pytest.raises(Refused, match="is a mistake"):
        client.call("apply")
    assert client.call("status")["mistakes"] == [f"{running.config}:1: interfaces.!worse: is a mistake"]
    assert "interface/a" in running.backend.held
    running.config.unlink()
    with pytest.raises(Refused, match=f"^{running.config}: no such file or directory$"):
        client.call("apply")


def test_a_changed_file_is_read_by_itself(running: Running, client: Client) -> None:
    running.config.write_text("a\nnew\n")
    _eventually(lambda: "interface/new" in running.backend.held)
    assert "interface/b" not in running.backend.held
    new = running.config.with_suffix(".new")
    new.write_text("!bad\n")
    os.replace(new, running.config)
    _eventually(lambda: bool(client.call("status")["mistakes"]))
    assert "interface/new" in running.backend.held
    running.config.write_text("a\n")
    _eventually(lambda: "interface/new" not in running.backend.held)
    assert client.call("status")["mistakes"] == []


def _eventually(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        threading.Event().wait(0.05)
    assert true()


def test_explain_history_and_items(running: Running, client: Client) -> None:
    assert client.call("explain", key="interface/a")["state"] == "applied"
    assert client.call("explain", key="interface/aa")["similar"][0] == "interface/a"
    items = {row["key"]: row for row in client.call("items", prefix="interface/a")}
    assert set(items) == {"interface/a", "interface/a/up"}
    assert items["interface/a"]["origin"] == f"{running.config}:1: interfaces.a"
    rows = client.call("history")
    assert [r["outcome"] for r in rows] == ["applied", "applied"] and rows[-1]["source"] == "config"
    (detail,) = client.call("history", number=rows[-1]["number"])
    assert "create   interface/a" in detail["text"]
    assert client.call("history", count=0) == [] and len(client.call("history", count=1)) == 1
    with pytest.raises(Refused, match="there is no transaction 99"):
        client.call("history", number=99)


def test_what_is_refused_is_told_and_tried_again(running: Running, client: Client) -> None:
    running.backend.refused.add("interface/c")
    record = client.call("apply", text="c\n", file="c")
    assert record["outcome"] == "incomplete" and "interface/c is refused" in record["text"]
    assert client.call("explain", key="interface/c")["state"] == "retrying"
    running.backend.refused.clear()
    _eventually(lambda: "interface/c/up" in running.backend.held)
    assert client.call("diff") == []


def test_a_backend_that_is_away_is_an_error_of_the_request_only(running: Running, client: Client) -> None:
    running.backend.away = True
    with pytest.raises(Refused, match="gone"):
        client.call("dump")
    with pytest.raises(Refused, match="gone"):
        client.call("diff")
    assert client.call("apply", text="c\n", file="c")["outcome"] == "away"
    running.backend.away = False
    assert running.backend.on_reconnect is not None
    running.do(running.backend.on_reconnect)
    assert client.call("diff") == [] and "interface/c" in running.backend.held


def test_the_debug_cli_and_counters(client: Client) -> None:
    assert client.call("cli", line="show version") == "did show version\n"
    with pytest.raises(Refused, match="unknown input `bad'"):
        client.call("cli", line="bad")
    assert client.call("counters") == {"interfaces": [], "errors": {}, "nodes": []}


def test_long_answers_come_in_parts(running: Running, client: Client) -> None:
    names = "\n".join(f"i{n}" for n in range(1500))
    client.call("apply", text=names, file="many")
    answers = running.raw(b'{"id": "x", "method": "dump", "params": {"kind": "interface"}}\n')
    assert [len(a["part"]) for a in answers[:-1]] == [500, 500, 500] and answers[-1]["result"] == {"count": 1500}
    assert {a["id"] for a in answers} == {"x"}
    assert len(client.call("dump", kind="interface")) == 1500


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"hello", "not a line of JSON"),
        (b"\xff\xfe", "not a line of JSON"),
        (b"[" * 100_000, "not a line of JSON"),
        (b"9" * 10_000, "not a line of JSON"),
        (b"[]", "expected an object"),
        (b"{}", "there is no method None; known: apply, cli"),
        (b'{"method": ["plan"]}', "there is no method ['plan']"),
        (b'{"method": "__init__"}', "there is no method '__init__'"),
        (b'{"method": "plan", "params": []}', "params: expected an object"),
        (b'{"method": "plan", "params": {"x": 1}}', "unknown parameter x"),
        (b'{"method": "plan", "params": {"text": "a"}}', "text and file go together"),
        (b'{"method": "explain"}', "key is missing"),
        (b'{"method": "explain", "params": {"key": 5}}', "key: expected a text"),
        (b'{"method": "history", "params": {"number": true}}', "number: expected a whole number"),
        (b'{"method": "dump", "params": {"kind": "x"}}', "there is no kind x; known: interface, up, route"),
        (b'{"method": "status", "id": [1]}', "id: expected a number or a text"),
        (b'{"method": "apply", "params": {"text": "\\ud800", "file": "f"}}', "internal error"),
    ],
)
def test_bad_requests_are_answered(running: Running, line: bytes, error: str) -> None:
    first, second = running.raw(line + b'\n{"id": 2, "method": "status"}\n')
    assert error in first["error"] and second["id"] == 2 and "result" in second


def test_a_request_that_is_too_long_ends_the_connection(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.await_(running.server.close())
    monkeypatch.setattr(management, "MAX_LINE", 1 << 16)
    running.await_(running.server.start())
    (answer,) = running.raw(b"x" * 200_000)
    assert "a request longer than" in answer["error"]
    assert running.raw(b'{"id": 1, "method": "status"}')[0]["id"] == 1


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_garbage_never_hurts(shared: Running, lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    answers = shared.raw(data)
    assert len(answers) == data.count(b"\n") + (data[-1:] not in (b"", b"\n"))
    assert all("error" in a for a in answers)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("shared"))
    yield made
    made.stop()


def test_clients_that_die_or_do_not_read(running: Running, client: Client) -> None:
    client.call("apply", text="\n".join(f"i{n}" for n in range(3000)), file="many")
    for _ in range(10):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(running.socket))
            s.sendall(b'{"id": 1, "method": "dump"}\n' * 3)
            s.recv(10)
    assert client.call("status")["items"]["applied"] == 6000


def test_more_clients_than_there_may_be(running: Running) -> None:
    many = [Client(running.socket) for _ in range(management.MAX_CLIENTS)]
    try:
        many[-1].call("status")
        with Client(running.socket) as extra, pytest.raises((Refused, NoInstance)):
            extra.call("status")
    finally:
        for one in many:
            one.__exit__()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NoInstance, match=r"no instance answers \(no such file or directory\)"):
        Client(tmp_path / "none.sock")
    (tmp_path / "file").write_text("")
    with pytest.raises(NoInstance, match="connection refused"):
        Client(tmp_path / "file")


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"[]\n", b'{"id": 7, "result": 1}\n', b'{"id": 1}\n'])
def test_something_else_answers(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as s:
                s.recv(1000)
                s.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with Client(path) as client, pytest.raises(NoInstance, match=r"no instance|has gone"):
            client.call("status")
        thread.join(10)
