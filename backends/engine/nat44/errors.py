"""Why NAT44 refuses something, as VPP's return codes tell it."""

from __future__ import annotations


class Nat44Error(ValueError):
    """NAT44 refuses something."""


class Unsupported(Nat44Error):
    """It is switched off, or does not do that."""


class ValueExists(Nat44Error):
    """It is there already."""


class NoSuchEntry(Nat44Error):
    """It is not there."""


class InvalidValue(Nat44Error):
    """A value does not fit."""


class Unspecified(Nat44Error):
    """Anything else."""


class AlreadyEnabled(Nat44Error):
    """It is switched on already."""


class AlreadyDisabled(Nat44Error):
    """It is switched off already."""
