"""What the commands of NAT44 have in common: their complaints, addresses, protocols, ports."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.nat44.errors import Nat44Error
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.words import Words
from vectorplane.graph_nodes.trace_names import IP_PROTOCOLS

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_PROTOCOLS = {name.lower(): number for number, name in IP_PROTOCOLS.items()}


def need_words(words: Words) -> None:
    """Complain when nothing is given."""
    if words.done:
        raise CliError("expected required argument(s)")


def unknown(words: Words, colon: str = "") -> CliError:
    """NAT's way of quoting what it does not know."""
    return CliError(str(words.unknown(f"unknown input{colon}").message).replace("`", "'"))


def maybe_ip4(words: Words) -> int | None:
    """An IPv4 address."""
    at = words.at
    address = words.maybe_address()
    if not isinstance(address, IPv4Address):
        words.at = at
        return None
    return int(address)


def take_ip4(words: Words) -> int:
    """An IPv4 address, or the complaint."""
    address = maybe_ip4(words)
    if address is None:
        raise unknown(words, ":")
    return address


def maybe_endpoint(words: Words) -> tuple[int, int] | None:
    """``ADDRESS:PORT``."""
    address, colon, port = words.peek().partition(":")
    try:
        number = int(IPv4Address(address))
    except ValueError:
        return None
    if not colon or not port.isascii() or not port.isdecimal() or len(port) > 5 or int(port) > 0xFFFF:
        return None
    words.take()
    return number, int(port)


def take_endpoint(words: Words) -> tuple[int, int]:
    """The same, or the complaint."""
    found = maybe_endpoint(words)
    if found is None:
        raise unknown(words, ":")
    return found


def maybe_protocol(words: Words) -> int | None:
    """A protocol by its name, in any case, or its number."""
    number = _PROTOCOLS.get(words.peek().lower())
    if number is not None:
        words.take()
        return number
    return words.maybe_number(high=255)


def maybe_interface(cli: DebugCli, words: Words) -> int | None:
    """The number of an interface."""
    found = cli.maybe_interface(words)
    return None if found is None else found.sw_if_index


def attempt(complaints: dict[type[Nat44Error], str], change: Callable[..., Any], *args: Any) -> None:
    """Do it; what VPP's command complains of is complained of, the rest it keeps to itself."""
    try:
        change(*args)
    except Nat44Error as error:
        if type(error) in complaints:
            raise CliError(complaints[type(error)]) from None
