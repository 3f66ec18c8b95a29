"""What can be asked of a running instance over its management socket."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError
from vectorplane.control.config_error import ConfigError
from vectorplane.control.management import ManagementError, Method, Parameters
from vectorplane.control.transactions.describe import item_data, item_text

if TYPE_CHECKING:
    from vectorplane.control.controller import Controller
    from vectorplane.control.transactions.history import Record

Parts = Generator[list[dict[str, Any]], None, dict[str, int]]
_PART = 500
"""Items in one part of an answer."""
_MOST = 100
"""Failures told one by one."""


class Methods:
    """The methods of one instance; `all` gives them by name."""

    def __init__(self, controller: Controller) -> None:
        self._controller, self._scheduler = controller, controller.scheduler

    def all(self) -> dict[str, Method]:
        """By the name that a request uses."""
        looking: list[Method] = [self.status, self.plan, self.dump, self.diff, self.items, self.explain, self.history]
        doing: list[Method] = [self.apply, self.resync, self.cli, self.counters, self.explain_packet]
        return {method.__name__: _told(method) for method in (*looking, *doing)}

    def status(self, given: Mapping[str, Any]) -> Any:
        """Backend, configuration, its mistakes, numbers of items by state."""
        Parameters(given).end()
        return self._controller.status()

    def plan(self, given: Mapping[str, Any]) -> Any:
        """What `apply` with the same parameters would do."""
        text, file = _configuration(given)
        plan = self._controller.plan(text, file)
        return {"text": plan.text(), "changes": bool(plan), **plan.json()}

    def apply(self, given: Mapping[str, Any]) -> Any:
        """Use ``text`` (named ``file``) as the configuration; without it, the instance's file as it is now."""
        text, file = _configuration(given)
        record = self._controller.apply(text, file)
        return _told_of(record, _brief(record))

    def dump(self, given: Mapping[str, Any]) -> Parts:
        """What the backend really holds, of all kinds or of those named by ``kind``."""
        parameters = Parameters(given)
        wanted = parameters.maybe_text("kind")
        parameters.end()
        kinds = {k.kind: k for k in self._controller.backend.kinds()}
        if wanted is not None and wanted not in kinds:
            raise ManagementError(f"there is no kind {wanted}; known: {', '.join(kinds)}")
        return self._dump([k for name, k in kinds.items() if wanted in (None, name)])

    def _dump(self, kinds: list[Any]) -> Parts:
        count = 0
        for kind in kinds:
            try:
                # each backend has an order of its own; sorted, two dumps can be compared as text
                rows = sorted((_row(item) for item in self._controller.backend.dump(kind)), key=itemgetter("key"))
            except BackendError as error:
                raise ManagementError(str(error)) from None
            for i in range(0, len(rows), _PART):
                yield rows[i : i + _PART]
            count += len(rows)
        return {"count": count}

    def diff(self, given: Mapping[str, Any]) -> Any:
        """Where the backend is not as it should be."""
        Parameters(given).end()
        return [{"text": str(d), **d.json()} for d in self._scheduler.diff()]

    def items(self, given: Mapping[str, Any]) -> Parts:
        """Every item that is known, with its state; ``prefix``: only keys that begin so."""
        parameters = Parameters(given)
        prefix = parameters.maybe_text("prefix") or ""
        parameters.end()
        return self._items([s for s in self._scheduler.items() if s.key.startswith(prefix)])

    def _items(self, states: list[Any]) -> Parts:
        for i in range(0, len(states), _PART):
            yield [
                {
                    "key": s.key,
                    "state": s.state,
                    "source": s.source,
                    "origin": str(s.origin) if s.origin else None,
                    "reason": s.reason,
                    "text": item_text(s.item if s.item is not None else s.there),
                }
                for s in states[i : i + _PART]
            ]
        return {"count": len(states)}

    def explain(self, given: Mapping[str, Any]) -> Any:
        """Why the item of ``key`` is in the state it is in."""
        parameters = Parameters(given)
        key = parameters.text("key")
        parameters.end()
        explanation = self._scheduler.explain(key)
        return {"text": explanation.text(), **explanation.json()}

    def history(self, given: Mapping[str, Any]) -> Any:
        """The last ``count`` transactions (20), or the one with a ``number`` in detail."""
        parameters = Parameters(given)
        number, count = parameters.maybe_number("number"), parameters.maybe_number("count")
        parameters.end()
        history = self._scheduler.history
        if number is not None:
            try:
                record = history[number]
            except (KeyError, IndexError):
                raise ManagementError(f"there is no transaction {number} (any more)") from None
            return [_told_of(record, "\n".join(record.lines()))]
        most = 20 if count is None else max(count, 0)
        records = list(history)[-most:] if most else []
        return [_told_of(record, record.line()) for record in records]

    def resync(self, given: Mapping[str, Any]) -> Any:
        """Read what the backend holds, then make it as it should be."""
        Parameters(given).end()
        record = self._scheduler.resync("asked")
        return _told_of(record, _brief(record))

    def cli(self, given: Mapping[str, Any]) -> Any:
        """One ``line`` of the debug CLI."""
        parameters = Parameters(given)
        line = parameters.text("line")
        parameters.end()
        return self._controller.backend.cli(line)

    def counters(self, given: Mapping[str, Any]) -> Any:
        """Counters of interfaces, nodes and errors."""
        Parameters(given).end()
        return self._controller.backend.counters()

    def explain_packet(self, given: Mapping[str, Any]) -> Any:
        """Where a packet that arrives on ``interface`` goes, and why, told on a copy of the engine.

        The packet: ``hex`` (with ``ethertype`` when it has no Ethernet header) or ``flow``. ``inject``: it is then
        really received; ``all_rules``: each rule of ACLs is told of; ``mac``: its destination.
        """
        from vectorplane.control.packet_explain.copy_of_process import CopyError
        from vectorplane.control.packet_explain.live import Request, explain_live

        parameters = Parameters(given)
        request = Request(
            parameters.text("interface"),
            parameters.maybe_text("hex"),
            parameters.maybe_text("flow"),
            parameters.maybe_number("ethertype") or 0,
            parameters.maybe_text("mac"),
            parameters.flag("inject"),
            parameters.flag("all_rules"),
        )
        parameters.end()
        if (request.hex is None) == (request.flow is None):
            raise ManagementError("expected hex or flow, one of them")
        engine = getattr(self._controller.backend, "engine", None)
        if engine is None:
            raise ManagementError(
                f"{self._controller.backend.name}: only packets of vectorplane's own engine can be explained; "
                "give the configuration with -c and leave out --socket"
            )
        try:
            return explain_live(engine, request)
        except (ValueError, CopyError) as error:
            raise ManagementError(*str(error).splitlines()) from None


def _told_of(record: Record, text: str) -> dict[str, Any]:
    """A transaction as data; its own text is its ``note``."""
    return {**record.json(), "note": record.text, "text": text}


def _brief(record: Record) -> str:
    """A transaction: how it went, and what of it is not there."""
    lines = [record.line()]
    lines += [f"  {record.reason}"] if record.reason else []
    lines += [f"  failed   {step.verb} {step.key}: {error}" for step, error in record.failures[:_MOST]]
    lines += [f"  pending  {p.key}: {p.reason}" for p in record.pending[:_MOST]]
    lines += [f"  conflict {c}" for c in record.conflicts[:_MOST]]
    return "\n".join(lines)


def _row(item: Any) -> dict[str, Any]:
    return {"key": item.key, "text": item_text(item), **item_data(item)}


def _configuration(given: Mapping[str, Any]) -> tuple[bytes | None, str | None]:
    parameters = Parameters(given)
    text, file = parameters.maybe_text("text"), parameters.maybe_text("file")
    parameters.end()
    if (text is None) != (file is None):
        raise ManagementError("text and file go together")
    return (None if text is None else text.encode(errors="surrogatepass")), file


def _told(method: Method) -> Method:
    """What users and backends do wrong becomes the request's error."""

    def run(given: Mapping[str, Any]) -> Any:
        try:
            return method(given)
        except ConfigError as error:
            raise ManagementError(*error.lines()) from None
        except BackendError as error:
            raise ManagementError(str(error)) from None

    return run
