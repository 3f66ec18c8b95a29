"""What all records share."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from vectorplane.control.config_types import Address, Prefix

Labels = dict[str, str]
Ip = Annotated[Address, PlainSerializer(str)]
Cidr = Annotated[Prefix, PlainSerializer(str)]
Port = Annotated[int, Field(ge=1, le=65535)]
MaybePort = Annotated[int, Field(ge=0, le=65535)]
"""0: none."""


class ObjectId(NamedTuple):
    """A namespaced object. A pod's is a `PodId`, which is equal to one of the same namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Record(BaseModel):
    """Base of all records: nothing changes later, and equal records are equal."""

    model_config = ConfigDict(extra="ignore", frozen=True)
