"""What a host's services answer, unless they are told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

Client = tuple[IPv4Address, int]
"""Address and port that the host saw a request come from."""
Answer = Callable[[bytes, Client], bytes | None]
"""From a request to its answer. UDP: None is no answer. TCP: is given all that has come so far when the peer pushes
or closes, and None asks for more; the connection is closed behind the answer. What it raises ends the network's run."""

_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ")


def named_echo(name: str) -> Answer:
    """The request, the host's name before it.

    What has this host's name in it already is not answered: two hosts that echo would never come to an end.
    """
    prefix = name.encode() + b": "
    return lambda request, client: None if prefix in request else prefix + request


def named_page(name: str) -> Answer:
    """As `named_echo`; to an HTTP request, when it is complete, an HTTP/1.0 response whose body is the host's name."""
    echo = named_echo(name)
    body = name.encode() + b"\n"
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)

    def answer(request: bytes, client: Client) -> bytes | None:
        if not request.startswith(_METHODS):
            return echo(request, client)
        if not _complete(request):
            return None
        return head if request.startswith(b"HEAD ") else head + body

    return answer


def _complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return True


class Services:
    """Ports of one protocol that are listened at, and what each answers."""

    def __init__(self) -> None:
        self._answers: dict[int | None, Answer] = {}

    def open(self, port: int | None, answer: Answer) -> None:
        """Listen at ``port``, at all without a service of their own (None).

        Raises:
            ValueError: the port is not within 1 to 65535.
        """
        if port is not None and not 1 <= port <= 65535:
            raise ValueError(f"a service's port {port} is not within 1 to 65535")
        self._answers[port] = answer

    def close(self, port: int | None) -> None:
        """Listen no more.

        Raises:
            KeyError: nobody listens there.
        """
        del self._answers[port]

    def at(self, port: int) -> Answer | None:
        """Who listens at ``port``."""
        return self._answers.get(port) or self._answers.get(None)
