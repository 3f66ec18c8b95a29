"""Namespaces."""

from __future__ import annotations

from pydantic import Field

from vectorplane.control.cluster.model.base import Labels, Record


class Namespace(Record):
    """A namespace."""

    name: str
    labels: Labels = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its identity."""
        return self.name
