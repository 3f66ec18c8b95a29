"""A packet from a line such as ``tcp 10.0.0.1:1234 -> 10.0.0.2:80 flags S``.

    PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT] [option ...]

Protocols: tcp, udp, icmp, icmp6, other names, or a number. IPv6 addresses with a port stand in brackets. Options:
``flags SA`` (letters of FSRPAUEC; default S), ``type N`` and ``code N`` (ICMP; default an echo request), ``id N``,
``ttl N`` (64), ``tos N``, ``length N`` (bytes of payload), ``df``, ``fragment N`` (a later fragment, at byte N).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import NoReturn

from vectorplane.control.config_acl import PROTOCOLS
from vectorplane.control.packet_explain.flow import ICMP, ICMP6, TCP, UDP, Address, Flow
from vectorplane.control.packet_explain.headers import flags_of

_MOST_PAYLOAD = 65000


class FlowError(ValueError):
    """The line says no packet; the text says why."""


def parse_flow(text: str) -> Flow:
    """What a line says.

    Raises:
        FlowError: it says no packet.
    """
    words = text.split()
    if len(words) < 4 or words[2] != "->":
        raise FlowError(f"flow {text!r}: expected PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT] [option ...]")
    protocol = _protocol(words[0], text)
    ports = protocol in (TCP, UDP)
    source, source_port = _end(words[1], ports, text)
    destination, destination_port = _end(words[3], ports, text)
    if source.version != destination.version:
        _refuse(text, f"{source} and {destination} are of two families")
    if protocol in (ICMP, ICMP6):
        if (protocol == ICMP) != (source.version == 4):
            _refuse(text, f"{words[0]} does not go with IPv{source.version}")
        source_port = 8 if protocol == ICMP else 128
    flow = Flow(protocol, source, destination, source_port, destination_port)
    rest = words[4:]
    while rest:
        flow, rest = _option(flow, rest, text)
    return flow


def _refuse(text: str, why: str) -> NoReturn:
    raise FlowError(f"flow {text!r}: {why}")


def _protocol(word: str, text: str) -> int:
    number = PROTOCOLS.get(word.lower()) if word != "any" else None
    if number is None and word.isdecimal() and int(word) < 256:
        number = int(word)
    if number is None:
        names = ", ".join(name for name in PROTOCOLS if name != "any")
        _refuse(text, f"expected a protocol ({names}, or a number up to 255), got {word!r}")
    return number


def _end(word: str, ports: bool, text: str) -> tuple[Address, int]:
    address, port = word, ""
    if word.startswith("["):
        address, _, port = word[1:].partition("]")
        port = port.removeprefix(":")
    elif word.count(":") == 1:
        address, _, port = word.partition(":")
    try:
        found = ip_address(address)
    except ValueError:
        _refuse(text, f"{address!r} is not an IP address")
    if not ports:
        if port:
            _refuse(text, f"only tcp and udp have ports, got {word!r}")
        return found, 0
    if not port.isdecimal() or int(port) > 65535:
        _refuse(text, f"expected {address}:PORT with a port up to 65535, got {word!r}")
    return found, int(port)


def _option(flow: Flow, words: list[str], text: str) -> tuple[Flow, list[str]]:
    name = words[0]
    if name == "df":
        return replace(flow, dont_fragment=True), words[1:]
    if name not in _OPTIONS:
        _refuse(text, f"unknown option {name!r}; known: df, flags, {', '.join(n for n in _OPTIONS if n != 'flags')}")
    if len(words) < 2:
        _refuse(text, f"{name} what?")
    try:
        return _OPTIONS[name](flow, words[1]), words[2:]
    except ValueError as error:
        _refuse(text, f"{name} {words[1]}: {error}")


def _number(field: str, most: int, protocols: tuple[int, ...] = ()) -> Callable[[Flow, str], Flow]:
    def take(flow: Flow, word: str) -> Flow:
        if protocols and flow.protocol not in protocols:
            raise ValueError("goes with icmp and icmp6 only")
        if not word.isdecimal() or int(word) > most:
            raise ValueError(f"expected a number up to {most}")
        if field == "fragment" and (int(word) % 8 or flow.version == 6):
            raise ValueError("expected a multiple of 8, of an IPv4 packet")
        return replace(flow, **{field: int(word)})  # type: ignore[arg-type]

    return take


def _flags(flow: Flow, word: str) -> Flow:
    if flow.protocol != TCP:
        raise ValueError("goes with tcp only")
    return replace(flow, flags=flags_of(word))


_OPTIONS: dict[str, Callable[[Flow, str], Flow]] = {
    "flags": _flags,
    "type": _number("source_port", 255, (ICMP, ICMP6)),
    "code": _number("destination_port", 255, (ICMP, ICMP6)),
    "id": _number("ident", 65535),
    "ttl": _number("ttl", 255),
    "tos": _number("tos", 255),
    "length": _number("length", _MOST_PAYLOAD),
    "fragment": _number("fragment", 65528),
}
