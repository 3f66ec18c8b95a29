"""What passes the lists of a node, by tests' own ACLs (tests/naive/acl.py), sessions and all."""

from __future__ import annotations

from collections.abc import Iterable

from tests.naive.acl import DENIED, NaiveAcls, Seen
from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.backends.items import Acl, AclBinding, Item
from vectorplane.backends.items import AclRule as ItemRule
from vectorplane.control.cluster.ipam.arithmetic import Ip

ACTIONS = ("deny", "permit", "permit+reflect")
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17, "SCTP": 132, "GRE": 47}
CLIENT_PORT = 40000


def packet(source: Ip, destination: Ip, protocol: str, port: int, reply: bool = False) -> Seen:
    """The first packet of a connection, or the answer to it."""
    ports: tuple[int, int] | None = (port, CLIENT_PORT) if reply else (CLIENT_PORT, port)
    number = PROTOCOLS[protocol]
    if protocol == "ICMP":
        ports = (0 if reply else 8, 0)
    elif protocol == "GRE":
        ports = (0, 0)
    flags = (18 if reply else 2) if protocol == "TCP" else None
    return Seen(source.version == 6, int(source), int(destination), number, ports, flags)


class NodeLists:
    """The lists of a node's interfaces."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._acls = NaiveAcls()
        self._numbers: dict[str, int] = {}
        items = list(items)
        lists: dict[str, int] = {}
        for item in items:
            if isinstance(item, Acl):
                lists[item.name] = len(lists)
                self._acls.replace(lists[item.name], [_rule(r) for r in item.rules])
        for item in items:
            if isinstance(item, AclBinding):
                number = self._number(item.interface)
                self._acls.set_list(number, False, [lists[n] for n in item.outputs])
                self._acls.set_list(number, True, [lists[n] for n in item.inputs])

    def passes(self, interface: str, is_input: bool, seen: Seen) -> bool:
        """One packet."""
        return self._acls.check(self._number(interface), is_input, seen, 0)[0] != DENIED

    def _number(self, interface: str) -> int:
        return self._numbers.setdefault(interface, len(self._numbers) + 1)


def _rule(given: ItemRule) -> AclRule:
    return AclRule(
        ACTIONS.index(given.action),
        given.src.version == 6,
        int(given.src.network_address),
        given.src.prefixlen,
        int(given.dst.network_address),
        given.dst.prefixlen,
        given.proto,
        *given.sport,
        *given.dport,
    )
