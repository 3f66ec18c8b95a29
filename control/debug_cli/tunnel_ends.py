"""The ends of a tunnel as commands name them: IPv4 only."""

from __future__ import annotations

from ipaddress import IPv4Address

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.words import Words


def take_end(words: Words) -> IPv4Address:
    """An address.

    Raises:
        CliError: there is none, or it is an IPv6 address.
    """
    address = words.maybe_address()
    if address is None:
        raise words.unknown("parse error:")
    if not isinstance(address, IPv4Address):
        raise CliError("tunnels over IPv6 are not available")
    return address
