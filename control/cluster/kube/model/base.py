"""What all objects have."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vectorplane.control.cluster.kube.model.names import Annotations, Labels, label_problem, subdomain_problem

T = TypeVar("T")
Items = Annotated[tuple[T, ...], Field(strict=False)]
"""A list of a manifest; here it never changes."""
DEFAULT_NAMESPACE = "default"


class KubeModel(BaseModel):
    """Base of all parts: unknown fields are ignored, '5' is no number, a field that is null is one not given."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_given(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {k: v for k, v in value.items() if v is not None}
        return value


class Ref(NamedTuple):
    """An object's identity. ``namespace``: empty for what is in none."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Owner(KubeModel):
    """Whose work an object is: a Deployment's pods go with it."""

    kind: str
    name: str
    controller: bool = False


class Metadata(KubeModel):
    """Name, namespace ("default" if none is given), labels, annotations.

    deletionTimestamp: the object is being deleted, and stays until what it stands for has ended.
    """

    name: Annotated[str, Field(min_length=1)]
    namespace: str = ""
    labels: Labels = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=dict)
    ownerReferences: Items[Owner] = ()
    deletionTimestamp: str | None = None


class KubeObject(KubeModel):
    """Base of all kinds."""

    KIND: ClassVar[str]
    VERSION: ClassVar[str] = "v1"
    """``apiVersion``: group/version, without a group for the core's."""
    RESOURCE: ClassVar[str]
    """As kubectl calls one: ``deployment.apps``."""
    NAMESPACED: ClassVar[bool] = True

    metadata: Metadata

    @model_validator(mode="after")
    def _names(self) -> KubeObject:
        if problem := self.name_problem(self.metadata.name):
            raise ValueError(f"metadata.name: {problem}")
        if self.NAMESPACED and self.metadata.namespace and (problem := label_problem(self.metadata.namespace)):
            raise ValueError(f"metadata.namespace: {problem}")
        return self

    @classmethod
    def name_problem(cls, name: str) -> str:
        """Why an object of this kind can't be called that; empty: it can."""
        return subdomain_problem(name)

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Its namespace; empty: kinds like this one are in none."""
        return (self.metadata.namespace or DEFAULT_NAMESPACE) if self.NAMESPACED else ""

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.metadata.labels

    @property
    def ref(self) -> Ref:
        """Its identity."""
        return Ref(self.KIND, self.namespace, self.metadata.name)

    @property
    def owner(self) -> Ref | None:
        """Whose work it is (the owner that is its controller)."""
        for owner in self.metadata.ownerReferences:
            if owner.controller:
                return Ref(owner.kind, self.namespace, owner.name)
        return None

    @property
    def deleting(self) -> bool:
        """Is it being deleted?"""
        return self.metadata.deletionTimestamp is not None

    def with_metadata(self, **fields: Any) -> Any:
        """The same with other metadata. What is given has to be right."""
        return self.model_copy(update={"metadata": self.metadata.model_copy(update=fields)})
