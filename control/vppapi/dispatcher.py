"""Messages in, handlers called, messages out; no sockets here.

`receive` takes bytes as they come, `work` does a piece of what there is to do. A client's messages are answered in
their order: while a dump of its is under way, its next messages wait. A dump is pulled in pieces, and only as fast as
its client reads.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Generator, Mapping
from types import GeneratorType
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.codec import Codec, CodecError
from vectorplane.control.vppapi.message_ids import MessageIds
from vectorplane.control.vppapi.retval import UNSPECIFIED, ApiError
from vectorplane.control.vppapi.schema.model import Service
from vectorplane.control.vppapi.schema.registry import Registry
from vectorplane.control.vppapi.session import Dump, Session

log = logging.getLogger("vectorplane.vppapi")

DETAILS = 128
"""Details a turn."""
SLICE = 0.005
"""Seconds that a client may keep the engine for itself in one turn (a single handler is not interrupted)."""
_ID = struct.Struct(">H")
Handler = Callable[[Api, Any], Any]


class Entry:
    """What there is to know about a request when it comes in."""

    __slots__ = ("decode", "details", "handler", "name", "reply")

    def __init__(self, codec: Codec, service: Service, ids: Mapping[str, int], handler: Handler) -> None:
        self.name, self.handler = service.request, handler
        self.decode = codec.decoder(self.name)
        self.reply = _reply_encoder(codec, service.reply, ids[service.reply]) if service.reply else None
        self.details = codec.encoder(service.details, ids[service.details]) if service.details else None


def _reply_encoder(codec: Codec, name: str, msg_id: int) -> Callable[[Any], bytes]:
    """The codec's; but a few replies (a plugin's version, say) have no return code, and go without."""
    encode = codec.encoder(name, msg_id)
    if any(f.name == "retval" for f in codec.registry.messages[name].fields):
        return encode
    return lambda fields: encode({key: value for key, value in fields.items() if key != "retval"})


class Dispatcher:
    """The protocol's logic over the handlers given; ``after`` is called after them, before their answers leave."""

    def __init__(
        self,
        api: Api,
        registry: Registry,
        handlers: Mapping[str, Handler],
        after: Callable[[], None] | None = None,
    ) -> None:
        self.api = api
        self._after = after
        self.registry = registry
        self.sessions: dict[int, Session] = {}
        self.ids = MessageIds(registry, handlers)
        self._codec = Codec(registry)
        ids = self.ids.by_name
        self._entries = {
            ids[name]: Entry(self._codec, registry.services[name], ids, handler) for name, handler in handlers.items()
        }
        self._create, self._delete = ids["sockclnt_create"], ids["sockclnt_delete"]
        self._read_create = self._codec.decoder("sockclnt_create")
        self._read_delete = self._codec.decoder("sockclnt_delete")
        self._create_reply = self._codec.encoder("sockclnt_create_reply", ids["sockclnt_create_reply"])
        self._delete_reply = self._codec.encoder("sockclnt_delete_reply", ids["sockclnt_delete_reply"])
        events = {e for name in handlers for e in registry.services[name].events}
        self._events = {name: self._codec.encoder(name, ids[name]) for name in events}
        self._table = self.ids.packed_table()
        api.attach(self)

    # --- clients come and go

    def open(self, on_output: Callable[[], None] | None = None) -> Session:
        """A client has connected; ``on_output`` is called when there is something for it outside of `work`."""
        number = next(n for n in range(len(self.sessions) + 1) if n not in self.sessions)
        session = self.sessions[number] = Session(number, on_output)
        return session

    def close(self, session: Session) -> None:
        """A client has gone."""
        if self.sessions.pop(session.number, None) is None:
            return
        if session.dump is not None:
            session.dump.details.close()
            session.dump = None
        self.api.forget(session)

    def send_event(self, session: Session, name: str, fields: Mapping[str, Any]) -> None:
        """Queue an event for a client. Raises KeyError: it is none that is served; `CodecError`: bad fields."""
        if self.sessions.get(session.number) is session:
            session.put_event(self._events[name]({"client_index": session.client_index, **fields}))

    # --- the work; the engine is paused

    def work(self, session: Session) -> bool:
        """Do a piece of what the client wants; True when there is more that can be done at once.

        Raises:
            FramingError: the client is to be dropped.
        """
        until = time.perf_counter() + SLICE
        self.api.session = session
        try:
            while not session.blocked and not session.leaving:
                if session.dump is not None:
                    self._pull(session, session.dump)
                    if session.dump is not None:
                        return True
                message = session.reader.take()
                if message is None:
                    return False
                self._handle(session, message)
                if time.perf_counter() > until:
                    return True
            return False
        finally:
            self.api.session = None
            self.api.engine.settle()  # as in VPP: who has the answer finds sent what the request made us send
            if self._after is not None:
                self._after()

    def _handle(self, session: Session, message: bytes) -> None:
        if len(message) < 2:
            session.complain(f"a message of {len(message)} bytes")
            return
        (msg_id,) = _ID.unpack_from(message)
        entry = self._entries.get(msg_id)
        if entry is None or not session.name:
            self._handshake(session, msg_id, message)
            return
        try:
            request = entry.decode(message)
        except CodecError as e:
            session.complain(f"{entry.name} is malformed: {e}")
            return
        try:
            result = entry.handler(self.api, request)
            if isinstance(result, GeneratorType):
                self._begin(session, entry, request.context, result)
            elif entry.reply is not None:
                session.put(entry.reply(_fields(request.context, result)))
        except Exception as e:
            retval = _retval(session, entry.name, e)
            if entry.reply is not None:
                session.put(entry.reply({"context": request.context, "retval": retval}))

    def _handshake(self, session: Session, msg_id: int, message: bytes) -> None:
        try:
            if msg_id == self._create:
                request = self._read_create(message)
                session.name = request.name or "?"
                fields = {"index": session.client_index, "count": 0, "context": request.context}
                # the table is the same for all: its bytes are made once, and its count lies before it
                reply = self._create_reply(fields)[:-2] + _ID.pack(len(self.ids.table)) + self._table
                session.put(reply)
            elif msg_id == self._delete and session.name:
                request = self._read_delete(message)
                ours = request.index == session.client_index
                session.put(self._delete_reply({"context": request.context, "response": 1 if ours else -1}))
                session.leaving = ours
            elif not session.name:
                session.complain(f"message {msg_id} before sockclnt_create")
            else:
                session.complain(f"no message with id {msg_id}")
        except CodecError as e:
            session.complain(f"malformed: {e}")

    # --- dumps

    def _begin(self, session: Session, entry: Entry, context: int, details: Generator[Any, None, Any]) -> None:
        if entry.details is None:
            raise TypeError(f"{entry.name} is no dump, but its handler is a generator")
        session.dump = Dump(entry.name, context, details, entry.details, entry.reply)
        self._pull(session, session.dump)

    def _pull(self, session: Session, dump: Dump) -> None:
        """The next details; at the end the reply, if the request has one."""
        context, encode, put = dump.context, dump.encode, session.put
        try:
            for _ in range(DETAILS):
                put(encode({"context": context, **next(dump.details)}))
            return
        except StopIteration as end:
            result = end.value
        except Exception as e:
            result = _retval(session, dump.name, e)
            dump.details.close()
        session.dump = None
        if dump.reply is not None:
            put(dump.reply(_fields(context, result)))


def _fields(context: int, result: Any) -> Mapping[str, Any]:
    """A reply's fields of what a handler returned."""
    if isinstance(result, dict):
        return {"context": context, "retval": 0, **result}
    return {"context": context, "retval": 0 if result is None else result}


def _retval(session: Session, name: str, error: Exception) -> int:
    """The return code of a failure, which is logged."""
    if isinstance(error, ApiError):
        log.debug("%r: %s: %s", session, name, error)
        return error.retval
    log.error("%r: %s failed", session, name, exc_info=error)
    return UNSPECIFIED
