"""A connection to VPP's API socket: many requests under way at once, each answer matched to its request.

vpp-papi's own transport waits for each reply, hands messages through two queues and does not tell when VPP is gone.
This one is a plain socket in the caller's thread: a request is packed (by vpp-papi) and on its way; `finish` waits
for one, `drain` for all. VPP answers requests of one client in order, so what is sent first is done first.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from vectorplane.backends.base import BackendError, Disconnected
from vectorplane.backends.vpp.definitions import Definitions
from vectorplane.backends.vpp.wire import HEADER, Deframer, WireError, frame

SOCKCLNT_CREATE, SOCKCLNT_CREATE_REPLY = 15, 16
"""The only message numbers that are the same everywhere."""
CONTEXT_AT = 6
"""Offset of the context in every request: behind the message number and the client's."""
_CHUNK = 1 << 18


class Request:
    """A request under way, and then what became of it."""

    __slots__ = ("context", "details", "done", "ends_with", "name", "raw", "reply")

    def __init__(self, name: str, context: int, ends_with: str, raw: bool) -> None:
        self.name, self.context, self.ends_with, self.raw = name, context, ends_with, raw
        self.details: list[Any] = []
        """Named tuples, or (if ``raw``) messages as they came."""
        self.reply: Any = None
        self.done = False


class Connection:
    """``timeout``: seconds in which VPP must answer or send something.

    Raises:
        Disconnected: there is nobody at the socket.
        BackendError: what answers is not a VPP.
    """

    def __init__(self, path: str, definitions: Definitions, name: str = "vectorplane", timeout: float = 10.0) -> None:
        self.path, self.definitions, self.timeout = path, definitions, timeout
        self.table: dict[str, int] = {}
        """The message table: number by name and CRC."""
        self.events: deque[tuple[str, Any]] = deque()
        """What VPP told by itself: (message name, fields)."""
        self._by_number: dict[int, tuple[str, Any, int]] = {}
        self._under_way: dict[int, Request] = {}
        self._context = 0
        self._out = bytearray()
        self._deframer = Deframer()
        self._inbox: deque[bytes] = deque()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
            self._socket.setblocking(False)
            self._handshake(name)
        except OSError as error:
            self._socket.close()
            raise Disconnected(f"no VPP at {path}: {error.strerror or error}") from error
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The socket, to wait for it."""
        return self._socket.fileno()

    def has(self, name: str) -> bool:
        """Does VPP know the message as it is defined here?"""
        name_crc = self.definitions.name_crc(name)
        return name_crc is not None and name_crc in self.table

    def send(self, name: str, **fields: Any) -> Request:
        """Put a request on its way; fields are vpp-papi's. Raises as `start`."""
        return self.start(name, fields)

    def start(self, name: str, fields: Mapping[str, Any] | bytes, *, raw: bool = False) -> Request:
        """Put a request on its way; fields are vpp-papi's, or all of the message (see `pack`).

        ``raw``: leave its details as they come. An old-style dump is followed by the ping that ends it.

        Raises:
            BackendError: VPP does not know the message, or the fields do not fit it.
            Disconnected: VPP is gone.
        """
        service = self.definitions.services.get(name)
        if service is None or not self.has(name):
            raise BackendError(f"this VPP does not know {name} as {self.definitions.source} defines it")
        self._context = context = self._context % 0x7FFFFFFF + 1
        ping = "stream" in service and "stream_msg" not in service
        request = Request(name, context, "control_ping_reply" if ping else service["reply"], raw)
        self._put(fields if isinstance(fields, bytes) else self.pack(name, fields), context)
        self._under_way[context] = request
        if ping:
            self._put(self.pack("control_ping", {}), context)
        if len(self._out) > _CHUNK:
            self._exchange(0)
        return request

    def finish(self, request: Request) -> Any:
        """Wait for a request's reply (its details are in `Request.details` then). Raises `Disconnected`."""
        while not request.done:
            self._wait()
        return request.reply

    def call(self, name: str, **fields: Any) -> Any:
        """A request and its reply. Raises as `send` and `finish`."""
        return self.finish(self.send(name, **fields))

    def details(self, name: str, **fields: Any) -> list[Any]:
        """A dump's details. Raises as `send` and `finish`."""
        request = self.send(name, **fields)
        self.finish(request)
        return request.details

    def drain(self) -> None:
        """Wait for all requests. Raises `Disconnected`."""
        while self._under_way:
            self._wait()

    def poll(self) -> None:
        """Take in what has arrived, without waiting. Raises `Disconnected`."""
        while self._exchange(0):
            pass

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    # --- inner works

    def _handshake(self, name: str) -> None:
        messages = self.definitions.messages
        hello = {"_vl_msg_id": SOCKCLNT_CREATE, "context": 1, "name": name}
        self._out += frame(messages["sockclnt_create"].pack(hello))
        deadline = time.monotonic() + self.timeout
        while not self._inbox:
            if not self._read_or_write(max(0.0, deadline - time.monotonic())):
                raise Disconnected(f"what listens at {self.path} does not answer")
        first = self._inbox.popleft()
        if int.from_bytes(first[:2], "big") != SOCKCLNT_CREATE_REPLY:
            raise BackendError(f"what listens at {self.path} is not a VPP")
        reply = self._unpack("sockclnt_create_reply", first)
        self._client_index = reply.index
        self.table = {entry.name: entry.index for entry in reply.message_table}
        for known, message in messages.items():
            number = self.table.get(self.definitions.name_crc(known) or "")
            if number:
                fields = message.fields
                answers = "context" in fields[1:3]  # an event has none
                self._by_number[number] = (known, message, 2 + 4 * (fields.index("context") - 1) if answers else 0)

    def _put(self, message: bytes, context: int) -> None:
        self._out += HEADER.pack(0, len(message), 0)
        self._out += message[:CONTEXT_AT]
        self._out += context.to_bytes(4, "big")
        self._out += message[CONTEXT_AT + 4 :]

    def pack(self, name: str, fields: Mapping[str, Any]) -> bytes:
        """The bytes of a request that VPP knows. Raises `BackendError`: the fields do not fit it."""
        message = self.definitions.messages[name]
        unknown = fields.keys() - message.field_by_name.keys()
        if unknown:
            raise BackendError(f"{name} of {self.definitions.source} has no field {sorted(unknown)[0]}")
        number = self.table[self.definitions.name_crc(name) or ""]
        values = {"_vl_msg_id": number, "client_index": self._client_index, "context": 0, **fields}
        try:
            return bytes(message.pack(values))
        except ValueError as error:
            reason: BaseException = error
            while reason.__cause__ is not None:
                reason = reason.__cause__
            raise BackendError(f"{name}: {reason}") from error

    def _wait(self) -> None:
        if not self._exchange(self.timeout):
            self.close()
            raise Disconnected(f"VPP at {self.path} has not answered for {self.timeout:g} s")

    def _exchange(self, timeout: float) -> bool:
        moved = self._read_or_write(timeout)
        while self._inbox:
            self._take(self._inbox.popleft())
        return moved

    def _read_or_write(self, timeout: float) -> bool:
        """Move bytes both ways until something came, or ``timeout`` passed without; False: nothing came or went."""
        try:
            poller = select.poll()  # unlike select, for any number of open files
            poller.register(self._socket, select.POLLIN | (select.POLLOUT if self._out else 0))
            ready = sum(events for _, events in poller.poll(timeout * 1000))
            writable, readable = ready & select.POLLOUT, ready & ~select.POLLOUT
            if writable:
                del self._out[: self._socket.send(self._out[:_CHUNK])]
            if readable:
                data = self._socket.recv(_CHUNK)
                if not data:
                    raise ConnectionResetError("the connection was closed")
                self._inbox += self._deframer.feed(data)
            return bool(readable or writable)
        except (OSError, ValueError) as error:
            self.close()
            if isinstance(error, WireError):
                raise Disconnected(f"{self.path}: {error}") from error
            reason = getattr(error, "strerror", None) or error
            raise Disconnected(f"VPP at {self.path} is gone: {reason}") from error

    def _take(self, raw: bytes) -> None:
        name, message, context_at = self._by_number.get(int.from_bytes(raw[:2], "big"), ("", None, 0))
        if message is None:
            return
        if not context_at:
            self.events.append((name, self._unpack(name, raw)))
            return
        request = self._under_way.get(int.from_bytes(raw[context_at : context_at + 4], "big"))
        if request is None:
            return
        if name != request.ends_with:
            request.details.append(raw if request.raw else self._unpack(name, raw))
            return
        request.reply, request.done = self._unpack(name, raw), True
        del self._under_way[request.context]

    def _unpack(self, name: str, raw: bytes) -> Any:
        try:
            return self.definitions.messages[name].unpack(raw, ntc=True)[0]
        except (struct.error, ValueError, IndexError, TypeError, KeyError) as error:
            self.close()
            raise Disconnected(f"{self.path}: a {name} that can't be read: {error}") from error
