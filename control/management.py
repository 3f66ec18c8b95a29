"""The management socket of a running instance: requests and answers as JSON, one a line.

    > {"id": 1, "method": "explain", "params": {"key": "route/0/10.0.0.0/8"}}
    < {"id": 1, "result": {...}}

A long answer comes in parts, `{"id": 1, "part": [...]}` any number of times, then the result. What fails is answered
with `{"id": 1, "error": "text", "lines": ["text", ...]}`. Requests of one client are answered in their order; between
the parts of an answer others have their turn. The socket's mode is 0660: who may open it may do everything.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vectorplane.control.unix_socket import listen, remove

log = logging.getLogger(__name__)

MAX_LINE = 16 << 20
"""Longest request, bytes; a configuration (at most 8 MB) fits in."""
MAX_CLIENTS = 64
_PATIENCE = 30.0
"""Seconds that a client may take to read what it asked for."""

Method = Callable[[Mapping[str, Any]], Any]
"""Takes the parameters; gives the result, or an iterator over parts (lists) whose return value is the result."""


class ManagementError(Exception):
    """A request that cannot be answered; ``lines`` is what to tell."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(lines))


class ManagementServer:
    """Serves ``methods`` at a socket. A `Service` of an instance."""

    def __init__(self, path: str, methods: Mapping[str, Method]) -> None:
        self._path, self._methods = path, methods
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen; the socket's folder is made when it is not there. Raises OSError, naming the path."""
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        self._server = await asyncio.start_unix_server(self._client, sock=listen(self._path), limit=MAX_LINE)

    async def close(self) -> None:
        """Drop all clients; take the socket away."""
        if self._server is None:
            return
        self._server.close()
        remove(self._path)
        clients = list(self._clients)
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) > MAX_CLIENTS:
                await _send(writer, {"id": None, **_error(f"more than {MAX_CLIENTS} clients at once")})
                return
            while True:
                try:
                    line = await reader.readline()
                except ValueError:
                    await _send(writer, {"id": None, **_error(f"a request longer than {MAX_LINE >> 20} MB")})
                    return
                if not line:
                    return
                await self._answer(line, writer)
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            log.debug("a management client is gone: %r", error)
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        number: Any = None
        try:
            request = _parse(line)
            number = request.get("id")
            answer = self._run(request)
            if isinstance(answer, Iterator):
                while True:
                    try:
                        part = next(answer)
                    except StopIteration as end:
                        answer = end.value
                        break
                    await _send(writer, {"id": number, "part": part})
                    await asyncio.sleep(0)
            await _send(writer, {"id": number, "result": answer})
        except ManagementError as error:
            await _send(writer, {"id": number, **_error(*error.lines)})
        except (OSError, TimeoutError):
            raise
        except Exception as error:  # a bug of ours must not end the instance
            log.exception("management request failed")
            await _send(writer, {"id": number, **_error(f"internal error: {error!r}")})

    def _run(self, request: dict[str, Any]) -> Any:
        name = request.get("method")
        method = self._methods.get(name) if isinstance(name, str) else None
        if method is None:
            raise ManagementError(f"there is no method {name!r}; known: {', '.join(sorted(self._methods))}")
        parameters = request.get("params", {})
        if not isinstance(parameters, dict):
            raise ManagementError("params: expected an object")
        return method(parameters)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ManagementError(f"not a line of JSON: {error}") from None
    if not isinstance(request, dict):
        raise ManagementError("expected an object with method and params")
    if not isinstance(request.get("id"), int | str | None):
        raise ManagementError("id: expected a number or a text")
    return request


def _error(*lines: str) -> dict[str, Any]:
    return {"error": "\n".join(lines), "lines": list(lines)}


async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    await asyncio.wait_for(writer.drain(), _PATIENCE)


class Parameters:
    """Parameters taken one by one, each with its type; `end` refuses those that nobody took."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._left = dict(given)

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.maybe_text(name)
        if value is None:
            raise ManagementError(f"{name} is missing")
        return value

    def maybe_text(self, name: str) -> str | None:
        """A text, or None."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise ManagementError(f"{name}: expected a text")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts that must be there, with one at least."""
        value = self._left.pop(name, None)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise ManagementError(f"{name}: expected a list of texts")
        return value

    def maybe_number(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self._left.pop(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ManagementError(f"{name}: expected a whole number")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false when it is not there."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, bool):
            raise ManagementError(f"{name}: expected true or false")
        return bool(value)

    def end(self) -> None:
        """Raises ManagementError when there is a parameter that was not asked for."""
        if self._left:
            raise ManagementError(f"unknown parameter {', '.join(sorted(self._left))}")
