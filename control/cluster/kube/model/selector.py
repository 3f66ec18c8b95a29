"""Label selectors (Kubernetes: "Labels and Selectors")."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.kube.model.base import Items, KubeModel
from vectorplane.control.cluster.kube.model.names import Labels, key_problem, value_problem


class Requirement(KubeModel):
    """A condition on a label."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Items[str] = ()

    @model_validator(mode="after")
    def _fits(self) -> Requirement:
        if problem := key_problem(self.key):
            raise ValueError(f"key: {problem}")
        if self.operator in ("In", "NotIn"):
            if not self.values:
                raise ValueError(f"values: operator {self.operator} needs one at least")
            for value in self.values:
                if problem := value_problem(value):
                    raise ValueError(f"values: {problem}")
        elif self.values:
            raise ValueError(f"values: operator {self.operator} takes none")
        return self

    def holds(self, labels: dict[str, str]) -> bool:
        """Is it so for these labels?"""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
        return self.key not in labels


class LabelSelector(KubeModel):
    """Labels that must be there and conditions, all of which must hold. An empty one selects everything."""

    matchLabels: Labels = Field(default_factory=dict)
    matchExpressions: Items[Requirement] = ()

    @property
    def empty(self) -> bool:
        """Does it say nothing?"""
        return not self.matchLabels and not self.matchExpressions

    def selects(self, labels: dict[str, str]) -> bool:
        """Does it select what has these labels?"""
        return matches(self.matchLabels, labels) and all(r.holds(labels) for r in self.matchExpressions)


def matches(wanted: dict[str, str], labels: dict[str, str]) -> bool:
    """Are all the wanted labels there?"""
    return all(labels.get(key) == value for key, value in wanted.items())
