"""A host's routing table: longest prefix first."""

from __future__ import annotations

from ipaddress import IPv4Network


class HostRoutes:
    """Prefixes, each reached by a next hop or directly. Addresses are 4 bytes."""

    def __init__(self) -> None:
        self._by_length: list[tuple[int, int, dict[int, bytes | None]]] = []

    def add(self, prefix: IPv4Network, next_hop: bytes | None) -> None:
        """Reach ``prefix`` by ``next_hop``, or directly (None); replaces what it was."""
        length = prefix.prefixlen
        for known, _, entries in self._by_length:
            if known == length:
                entries[int(prefix.network_address)] = next_hop
                return
        self._by_length.append((length, int(prefix.netmask), {int(prefix.network_address): next_hop}))
        self._by_length.sort(key=lambda e: -e[0])

    def remove(self, prefix: IPv4Network) -> None:
        """Forget a prefix.

        Raises:
            KeyError: it is not there.
        """
        for i, (length, _, entries) in enumerate(self._by_length):
            if length == prefix.prefixlen:
                del entries[int(prefix.network_address)]
                if not entries:
                    del self._by_length[i]
                return
        raise KeyError(prefix)

    def next_hop(self, destination: bytes) -> bytes | None:
        """The neighbour to send to: a next hop or the destination itself; None without a route."""
        number = int.from_bytes(destination, "big")
        for _, mask, entries in self._by_length:
            key = number & mask
            if key in entries:
                return entries[key] or destination
        return None
