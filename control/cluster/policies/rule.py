"""Rules of a list, in a total order: the most specific first, as Contiv-VPP's renderer orders them.

Where two rules overlap and do not say the same, the one in front is contained in the other: only exact denials (one
address, one port) and the last rule, which denies everything, deny.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from vectorplane.backends.items import AclRule
from vectorplane.control.cluster.policies.nets import ANY, Net, any_like, network

DENY, PERMIT = 0, 1
TCP, UDP, SCTP = 6, 17, 132
PROTOCOLS = {"TCP": TCP, "UDP": UDP, "SCTP": SCTP}
ANY_PROTOCOL = 256
"""Behind all protocols."""
PREFIX = "contiv-policy-"
REFLECTION = PREFIX + "REFLECTION"
NODE_GLOBAL = PREFIX + "NODE-GLOBAL"
_ACTIONS = ("deny", "permit+reflect")


class Ports(NamedTuple):
    """Destination ports of a protocol; ``width`` is how many there are behind the first."""

    protocol: int
    width: int
    first: int

    def has(self, protocol: int, port: int) -> bool:
        """Is it one of them?"""
        if self.protocol == ANY_PROTOCOL:
            return True
        return protocol == self.protocol and self.first <= port <= self.first + self.width


ALL = Ports(ANY_PROTOCOL, 65535, 0)


def one_port(protocol: int, port: int) -> Ports:
    """A single one."""
    return Ports(protocol, 0, port)


class Rule(NamedTuple):
    """A rule. Its order as a tuple is the order in a list."""

    src: Net
    dst: Net
    ports: Ports
    action: int


def from_net(src: Net, ports: Ports, action: int = PERMIT) -> Rule:
    """What comes from there."""
    return Rule(src, any_like(src), ports, action)


def to_net(dst: Net, ports: Ports, action: int = PERMIT) -> Rule:
    """What goes there."""
    return Rule(any_like(dst), dst, ports, action)


DENY_ALL = tuple(Rule(n, n, ALL, DENY) for n in ANY)
PERMIT_ALL = tuple(Rule(n, n, ALL, PERMIT) for n in ANY)
"""With permit+reflect: what passes lets its answers pass the other way."""


@lru_cache(maxsize=1 << 17)
def acl_rule(rule: Rule) -> AclRule:
    """As a dataplane is told it."""
    protocol, width, first = rule.ports
    return AclRule(
        _ACTIONS[rule.action],
        network(rule.src),
        network(rule.dst),
        0 if protocol == ANY_PROTOCOL else protocol,
        dport=(first, first + width),
    )


@lru_cache(maxsize=1 << 17)
def _text(rule: Rule) -> str:
    src, dst, (protocol, width, first), action = rule
    return f"{src}{dst}{protocol} {first}+{width} {action}\n"


def list_name(rules: tuple[Rule, ...]) -> str:
    """The name of a list, from its rules' text: equal rules, one list.

    Contiv-VPP's hash is FNV-1a-64. Whoever may write policies could make two lists of one such name, and have one in
    the place of the other; so it is a cryptographic one of 128 bits.
    """
    return PREFIX + blake2b("".join(map(_text, rules)).encode(), digest_size=16).hexdigest()
