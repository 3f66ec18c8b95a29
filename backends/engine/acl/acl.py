"""An ACL: a numbered list of rules with a tag, as VPP keeps it; and why one can't be changed."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.backends.engine.acl.rule import AclRule


@dataclass(frozen=True, slots=True)
class Acl:
    """One list."""

    index: int
    tag: str
    rules: tuple[AclRule, ...]
    reflects: bool
    """Can it make sessions?"""


class AclNotThere(KeyError):
    """No ACL has this number."""

    def __str__(self) -> str:
        return str(self.args[0])


class AclTwice(ValueError):
    """An ACL stands twice in one list of an interface."""


class AclInUse(ValueError):
    """The ACL applies to an interface."""

    def __init__(self, index: int, inbound: bool) -> None:
        super().__init__(f"ACL {index} applies to packets that an interface {'receives' if inbound else 'sends'}")
        self.inbound = inbound
