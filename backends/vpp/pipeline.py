"""Carries out operations on a VPP, as many at once as may be: their messages are sent one after the other, and answers
are looked at later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vectorplane.backends.base import BackendError, CannotUpdate, Disconnected, Operation
from vectorplane.backends.items import Item
from vectorplane.backends.vpp import retvals
from vectorplane.backends.vpp.connection import Request
from vectorplane.backends.vpp.kinds.kind import Kind, Steps
from vectorplane.backends.vpp.link import Link

Kinds = Mapping[type[Item], Kind[Any]]


def carry_out(link: Link, kinds: Kinds, operations: Sequence[Operation]) -> list[BackendError | None]:
    """What became of each, in order.

    An operation of one message is not waited for: VPP takes messages in order, so those behind it may build on it. One
    of several messages is finished before the next begins.

    Raises:
        Disconnected: VPP went away under it.
    """
    run = _Run(link, operations)
    for i, operation in enumerate(operations):
        try:
            kind = _kind(kinds, operation.item)
            if not kind.single:
                run.collect()
            run.begin(i, _steps(kind, operation))
            if not kind.single:
                run.collect()
        except Disconnected:
            raise
        except BackendError as error:
            run.failed(i, error)
    run.collect()
    return run.results


class _Run:
    def __init__(self, link: Link, operations: Sequence[Operation]) -> None:
        self._link, self._operations = link, operations
        self._under_way: list[tuple[int, Steps, Request]] = []
        self.results: list[BackendError | None] = [None] * len(operations)

    def begin(self, i: int, steps: Steps) -> None:
        """Send the first message of an operation."""
        for name, fields in steps:
            self._under_way.append((i, steps, self._link.connection.start(name, fields)))
            return

    def collect(self) -> None:
        """Wait for what is under way and go through with it."""
        for i, steps, request in self._under_way:
            try:
                self._finish(steps, request)
            except Disconnected:
                raise
            except BackendError as error:
                self.failed(i, error)
        self._under_way.clear()

    def _finish(self, steps: Steps, request: Request) -> None:
        connection = self._link.connection
        while True:
            reply = connection.finish(request)
            try:
                if reply.retval:
                    name, fields = steps.throw(_refused(request.name, reply))
                else:
                    name, fields = steps.send(reply)
            except StopIteration:
                return
            request = connection.start(name, fields)

    def failed(self, i: int, error: BackendError) -> None:
        """Note why an operation failed; the text names its item."""
        operation = self._operations[i]
        kind = CannotUpdate if isinstance(error, CannotUpdate) else BackendError
        text = f"{operation.verb} {operation.item.key}: {error}"
        self.results[i] = kind(text, code=error.code, retry=error.retry)


def _kind(kinds: Kinds, item: Item) -> Kind[Any]:
    kind = kinds.get(type(item))
    if kind is None:
        raise BackendError(f"a VPP can't hold a {item.kind}")
    kind.usable()
    return kind


def _steps(kind: Kind[Any], operation: Operation) -> Steps:
    if operation.verb == "create":
        return kind.create(operation.item)
    if operation.verb == "delete":
        return kind.delete(operation.item)
    return kind.update(operation.old, operation.item)


def _refused(message: str, reply: Any) -> BackendError:
    code: int = reply.retval
    reason = (message == "cli_inband" and reply.reply.strip()) or retvals.text(code)
    return BackendError(f"VPP refused {message}: {reason}", code=code, retry=code in retvals.BUSY)
