"""Settings from a document, with every mistake told by line and field."""

from __future__ import annotations

from pydantic import ValidationError

from vectorplane.control.cluster.ipam.check import problems
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.config_error import ConfigError, Problem
from vectorplane.control.config_explain import explain
from vectorplane.control.config_yaml import Document, parse


def settings_of(document: Document) -> IpamSettings:
    """The settings that a document holds.

    Raises:
        ConfigError: with every mistake in it.
    """
    try:
        settings = IpamSettings.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError(document.file, explain(error, IpamSettings, document)) from None
    refuse_problems(settings, document)
    return settings


def refuse_problems(settings: IpamSettings, document: Document, *at: str) -> None:
    """Raises ConfigError: the settings, which stand at this place of the document, do not fit each other."""
    found = [((*at, p.field), p.reason) for p in problems(settings)]
    if found:
        raise ConfigError(document.file, [Problem(document.line(path), path, reason) for path, reason in found])


def parse_settings(text: str | bytes, file: str = "ipam") -> IpamSettings:
    """The settings in a YAML (or JSON) text. Raises ConfigError as `settings_of`, and when it is no such text."""
    return settings_of(parse(text, file))
