"""The settings of a cluster from a document, with every mistake told by line and field."""

from __future__ import annotations

from pydantic import ValidationError

from vectorplane.control.cluster.ipam.load import refuse_problems
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.config_error import ConfigError
from vectorplane.control.config_explain import explain
from vectorplane.control.config_yaml import parse


def parse_settings(text: str | bytes, file: str = "cluster") -> ClusterSettings:
    """The settings in a YAML (or JSON) text. Raises ConfigError, with every mistake in it."""
    document = parse(text, file)
    try:
        settings = ClusterSettings.model_validate({} if document.value is None else document.value)
    except ValidationError as error:
        raise ConfigError(file, explain(error, ClusterSettings, document)) from None
    refuse_problems(settings.ipam, document, "ipam")
    return settings
