"""Messages between processes: what is sent comes, and what is no message is an error, not a hang."""

from __future__ import annotations

import socket
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.control.channel import MAX_BYTES, MAX_JSON, Channel, ChannelError

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.binary(max_size=200)), max_size=5))
def test_messages_come_as_they_were_sent(messages: list[tuple[dict[str, object], bytes]]) -> None:
    a, b = socket.socketpair()
    here, there = Channel(a, 5), Channel(b, 5)
    for message, data in messages:
        here.send(message, data)
    assert [there.receive() for _ in messages] == messages
    here.close()
    with pytest.raises(ChannelError, match="gone"):
        there.receive()
    there.close()


def test_a_long_one_in_many_pieces() -> None:
    a, b = socket.socketpair()
    data = bytes(range(256)) * 40_000
    sender = threading.Thread(target=lambda: Channel(a, 20).send({"long": "ü" * 100_000}, data))
    sender.start()
    assert Channel(b, 20).receive() == ({"long": "ü" * 100_000}, data)
    sender.join()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "gone"),
        (b"\0\0", "gone"),
        (struct.pack(">II", 5, 0) + b"{}", "gone"),
        (struct.pack(">II", MAX_JSON + 1, 0), "are the most"),
        (struct.pack(">II", 2, MAX_BYTES + 1), "are the most"),
        (struct.pack(">II", 2, 0) + b"{]", "not JSON"),
        (struct.pack(">II", 2, 0) + b"\xff\xff", "not JSON"),
        (struct.pack(">II", 2, 0) + b"[]", "no object but a list"),
        (struct.pack(">II", 100_000, 0) + b"[" * 100_000, "not JSON"),
    ],
)
def test_garbage(raw: bytes, text: str) -> None:
    a, b = socket.socketpair()
    a.sendall(raw)
    a.close()
    with pytest.raises(ChannelError, match=text):
        Channel(b, 5).receive()
    b.close()


def test_silence_is_not_waited_for_longer_than_said() -> None:
    a, b = socket.socketpair()
    with pytest.raises(ChannelError, match="in time"):
        Channel(b, 0.05).receive()
    a.close()
    b.close()
