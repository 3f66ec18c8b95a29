"""A lab file: hosts, switches and instances, and which is wired to which. See examples/lab.yaml.

A host is a network namespace with one interface, ``eth0``. Its ``link`` names what it is plugged into: an instance's
interface (``router.lan``; eth0 is then the tap itself) or a switch. A switch is a Linux bridge in a namespace of its
own: it joins interfaces of instances, and hosts.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.control.config_explain import explain
from vectorplane.control.config_types import Address, InterfaceAddress, Model, StationMac, as_list
from vectorplane.control.config_yaml import Document, read_document
from vectorplane.control.lab.plan import Plan
from vectorplane.control.lab.wiring import plan_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}")
FIELDS = ("instances", "switches", "hosts")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"expected a name of 1 to 31 letters, digits, _ and -, got {value!r}")
    return value


Name = Annotated[str, BeforeValidator(_name)]
Mtu = Annotated[int, Field(ge=68, le=16110)]


class LabHost(Model):
    """A host. ``gateways``: its default routes, one of each IP version."""

    link: str
    addresses: Annotated[list[InterfaceAddress], BeforeValidator(as_list)] = Field(default_factory=list)
    gateways: Annotated[list[Address], BeforeValidator(as_list)] = Field(default_factory=list)
    mac: StationMac | None = None
    mtu: Mtu | None = None

    @model_validator(mode="after")
    def _reachable(self) -> LabHost:
        for gateway in self.gateways:
            if not any(gateway in address.network for address in self.addresses) and not (
                gateway.version == 6 and gateway.is_link_local
            ):
                raise ValueError(f"the gateway {gateway} is in none of the networks of its addresses")
        return self


class LabSwitch(Model):
    """A switch. ``ports``: the interfaces of instances in it; a list alone is short for them."""

    ports: Annotated[list[str], BeforeValidator(as_list)] = Field(default_factory=list)
    mtu: Mtu | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"ports": value} if isinstance(value, list | str) else {} if value is None else value


class LabFile(Model):
    """A whole lab. An instance is a configuration, or names the file with one: ``{config: FILE}``."""

    instances: dict[Name, dict[str | int, Any]] = Field(default_factory=dict)
    switches: dict[Name, LabSwitch] = Field(default_factory=dict)
    hosts: dict[Name, LabHost]


def is_lab(document: Document) -> bool:
    """Is that a lab file, rather than a configuration?"""
    return isinstance(document.value, dict) and any(field in document.value for field in FIELDS)


def lab_of(document: Document) -> Plan:
    """What there is to be made for a lab file.

    Raises:
        ConfigError: with every mistake in it, or in a configuration that it names.
    """
    file = document.file
    if not isinstance(document.value, dict):
        wanted = ", ".join(FIELDS)
        raise ConfigError(file, [Problem(document.line(()), (), f"expected a mapping with the fields {wanted}")])
    try:
        lab = LabFile.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError(file, explain(error, LabFile, document)) from None
    both: list[Path] = [("switches", name) for name in lab.switches if name in lab.hosts]
    if both:
        reason = "a host has the same name: each is a network namespace of that name"
        raise ConfigError(file, [Problem(document.line(path), path, reason) for path in both])
    return plan_of(lab, document)


def load_lab(path: str | os.PathLike[str]) -> Plan:
    """What there is to be made for the lab in a file. Raises ConfigError as `lab_of`, and when it can't be read."""
    return lab_of(read_document(os.fspath(path)))
