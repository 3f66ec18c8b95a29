"""A list of rules in order, and the ACL that it is to a dataplane."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from vectorplane.backends.items import Acl
from vectorplane.control.cluster.policies.rule import PERMIT_ALL, REFLECTION, Rule, acl_rule, list_name


class RuleList:
    """Nothing of it changes; the ACL is made when it is first asked for. ``name``: empty for that of its rules."""

    def __init__(self, rules: Iterable[Rule], name: str = "") -> None:
        self.rules = tuple(sorted(rules))
        self._name = name

    @cached_property
    def acl(self) -> Acl:
        """As a dataplane is told it."""
        return Acl(self._name or list_name(self.rules), tuple(map(acl_rule, self.rules)))


REFLECTING = RuleList(PERMIT_ALL, REFLECTION)
"""Lets everything pass, and lets its answers pass the lists of the other direction."""
