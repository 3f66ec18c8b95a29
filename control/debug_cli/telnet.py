"""As much of the telnet protocol (RFC 854, 1091) as vppctl and telnet speak: bytes in, text out. No sockets.

A client names its terminal type. `vppctl` says that there is no terminal: no prompt, no echo, and a NUL behind the
output of each command. Our own client asks besides, by an option that VPP passes over, that a failed command be
marked: an SOH stands before that NUL then.
"""

from __future__ import annotations

IAC, DONT, DO, WONT, WILL, SB, AYT, SE = 255, 254, 253, 252, 251, 250, 246, 240
ECHO, SUPPRESS_GO_AHEAD, TERMINAL_TYPE, WINDOW_SIZE, LINE_MODE = 1, 3, 24, 31, 34
MARK_FAILURES = 224
"""Not an option of any standard."""
NO_TERMINAL = "vppctl"
FAILED, DONE = b"\x01", b"\x00"
_LONGEST = 64
"""Most bytes of a subnegotiation."""

GREETING = bytes(
    [
        *(IAC, WONT, LINE_MODE, IAC, DONT, LINE_MODE, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, SUPPRESS_GO_AHEAD),
        *(IAC, WILL, ECHO, IAC, DONT, ECHO, IAC, DO, TERMINAL_TYPE, IAC, SB, TERMINAL_TYPE, 1, IAC, SE),
        *(IAC, DO, WINDOW_SIZE, IAC, SB, WINDOW_SIZE, 1, IAC, SE),
    ]
)
"""What a server says first: it echoes, character by character, and wants to know terminal type and window size."""


def option(number: int, value: bytes) -> bytes:
    """A subnegotiation."""
    return bytes([IAC, SB, number]) + value + bytes([IAC, SE])


def hello(terminal: str) -> bytes:
    """What our client says first."""
    return option(MARK_FAILURES, b"\x01") + option(TERMINAL_TYPE, b"\x00" + terminal.encode())


class Telnet:
    """Takes what the other end sends apart."""

    def __init__(self) -> None:
        self.terminal: str | None = None
        """The terminal type that was named; None: not yet."""
        self.mark_failures = False
        self.asked = False
        """Did it ask whether we are there (AYT)?"""
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What is no telnet command, of these bytes and of what was incomplete before."""
        data, self._rest = self._rest + data, b""
        text, at = bytearray(), 0
        while at < len(data):
            if data[at] != IAC:
                end = data.find(IAC, at)
                end = len(data) if end < 0 else end
                text += data[at:end]
                at = end
                continue
            size = self._command(data, at)
            if size == 0:
                self._rest = data[at:]
                break
            at += size
        return bytes(text)

    def _command(self, data: bytes, at: int) -> int:
        """Bytes of the command that begins there; 0: more must come."""
        if at + 1 >= len(data):
            return 0
        kind = data[at + 1]
        if kind in (WILL, WONT, DO, DONT):
            return 3 if at + 2 < len(data) else 0
        if kind == SB:
            end = data.find(bytes([IAC, SE]), at + 2)
            if end < 0:
                return 2 if len(data) - at > _LONGEST else 0
            self._subnegotiation(data[at + 2 : end])
            return end + 2 - at
        if kind == AYT:
            self.asked = True
        return 2

    def _subnegotiation(self, raw: bytes) -> None:
        if raw[:2] == bytes([TERMINAL_TYPE, 0]):
            self.terminal = raw[2:].decode("ascii", "replace")
        elif raw[:1] == bytes([MARK_FAILURES]):
            self.mark_failures = True
