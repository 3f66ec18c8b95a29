"""The configuration: one YAML file, checked by pydantic and then for what its parts say about each other.

Every mistake is reported with its file, line and field, and what was expected there. See examples/*.yaml.
"""

from __future__ import annotations

import os
import shlex
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from vectorplane.control.config_acl import AclName, AclSettings, MacipRule, Rule
from vectorplane.control.config_bridge import BridgeDomain, DomainId, Span
from vectorplane.control.config_check import check
from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.control.config_explain import explain
from vectorplane.control.config_interface import Interface
from vectorplane.control.config_nat44 import NatSettings
from vectorplane.control.config_route import Neighbour, ProxyArp, Route, Table
from vectorplane.control.config_types import InterfaceName, Model, TableId
from vectorplane.control.config_yaml import Document, parse, read_document

Clock = Literal["virtual", "real", "fast"]


def _words(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


class EngineSettings(Model):
    """How the engine runs. ``vector_size`` is the most packets a node gets at a time.

    ``eal``: arguments for DPDK's EAL, a list or as on a command line (default: no huge pages and no cards, or what a
    card needs when the first port is one).
    """

    clock: Clock = "virtual"
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    buffers: Annotated[int, Field(ge=1024, le=1 << 22)] = 16384
    seed: Annotated[int, Field(ge=0, lt=1 << 62)] = 1
    vector_size: Annotated[int, Field(ge=1, le=256)] = 256
    acl: AclSettings = Field(default_factory=AclSettings)
    eal: Annotated[list[str], BeforeValidator(_words)] | None = None


class Config(Model):
    """A whole configuration."""

    engine: EngineSettings = Field(default_factory=EngineSettings)
    interfaces: dict[InterfaceName, Interface] = Field(default_factory=dict)
    tables: dict[TableId, Table] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    neighbours: list[Neighbour] = Field(default_factory=list)
    proxy_arp: list[ProxyArp] = Field(default_factory=list)
    bridge_domains: dict[DomainId, BridgeDomain] = Field(default_factory=dict)
    span: list[Span] = Field(default_factory=list)
    acls: dict[AclName, list[Rule]] = Field(default_factory=dict)
    macip_acls: dict[AclName, list[MacipRule]] = Field(default_factory=dict)
    nat44: NatSettings | None = None
    _document: Document | None = PrivateAttr(None)
    _warnings: tuple[Problem, ...] = PrivateAttr(())

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What cannot be brought before something comes that this configuration does not bring."""
        return self._warnings

    def line(self, path: Path) -> int:
        """The line of a field in the file that this was read from; 0 when there is none."""
        return self._document.line(path) if self._document else 0

    def __eq__(self, other: object) -> bool:
        """The same settings, wherever they are written."""
        return isinstance(other, Config) and self.__dict__ == other.__dict__

    @model_validator(mode="before")
    @classmethod
    def _empty_parts(cls, value: Any) -> Any:
        """``routes:`` with nothing behind it is the same as no ``routes``."""
        if isinstance(value, dict):
            return {k: v for k, v in value.items() if v is not None or k not in cls.model_fields}
        return value


def parse_config(text: str | bytes, file: str = "config", folder: str | None = None) -> Config:
    """The configuration in ``text``. ``folder`` (if given) is where its capture files must be.

    Raises:
        ConfigError: with every mistake in it.
    """
    return config_of(parse(text, file), folder)


def config_of(document: Document, folder: str | None = None) -> Config:
    """The configuration that a document holds; see `parse_config`.

    Raises:
        ConfigError: with every mistake in it.
    """
    file = document.file
    if document.value is None:
        document = Document(file, {})
    if not isinstance(document.value, dict):
        wanted = ", ".join(Config.model_fields)
        raise ConfigError(file, [Problem(document.line(()), (), f"expected a mapping with the fields {wanted}")])
    try:
        config = Config.model_validate(document.value)
    except ValidationError as e:
        raise ConfigError(file, explain(e, Config, document)) from None
    problems, warnings = check(config, document, folder)
    if problems:
        raise ConfigError(file, problems)
    config._document, config._warnings = document, tuple(warnings)
    return config


def load_config(path: str | os.PathLike[str]) -> Config:
    """The configuration in a file.

    Raises:
        ConfigError: it can't be read, or has mistakes.
    """
    file = os.fspath(path)
    return config_of(read_document(file), os.path.dirname(file) or ".")
