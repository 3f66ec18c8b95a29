"""The byte stream: however it is cut, the messages are the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.control.vppapi.framing import HEADER, LONGEST, FrameReader, FramingError, frame


def taken(reader: FrameReader) -> list[bytes]:
    messages = []
    while (message := reader.take()) is not None:
        messages.append(message)
    return messages


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 60), max_size=30))
def test_any_cut_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, messages))
    reader, got = FrameReader(), []
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        reader.feed(piece)
        ready = reader.whole()
        some = taken(reader)
        assert ready == bool(some)
        got += some
    assert got == messages


@pytest.mark.parametrize("length", [LONGEST + 1, 0xFFFFFFFF])
def test_a_length_beyond_all_sense(length: int) -> None:
    reader = FrameReader()
    reader.feed(HEADER.pack(0, length, 0))
    assert reader.whole()  # there is something to say at once, not after that many bytes
    with pytest.raises(FramingError, match=str(length)):
        reader.take()


def test_a_long_message_in_small_pieces_is_not_copied_for_each() -> None:
    """Quadratic copying would move 8 GB here."""
    reader = FrameReader()
    stream = frame(bytes(8 << 20))
    for at in range(0, len(stream), 4096):
        reader.feed(stream[at : at + 4096])
        assert reader.whole() == (at + 4096 >= len(stream))
    assert taken(reader) == [bytes(8 << 20)]
