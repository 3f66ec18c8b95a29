"""What pods are made by: Deployments, ReplicaSets, StatefulSets, DaemonSets."""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from vectorplane.control.cluster.kube.model.base import KubeModel, KubeObject
from vectorplane.control.cluster.kube.model.names import Annotations, Labels
from vectorplane.control.cluster.kube.model.pods import PodSpec
from vectorplane.control.cluster.kube.model.selector import LabelSelector

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Of made-up names: Kubernetes leaves out what may be read as a word or mistaken."""
MOST_REPLICAS = 100_000


def short_hash(text: str, length: int = 5) -> str:
    """A few characters for a name, the same for the same text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])


class TemplateMetadata(KubeModel):
    """What a workload's pods have in common."""

    labels: Labels = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=dict)


class PodTemplate(KubeModel):
    """What a workload's pods are made after."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: PodSpec

    @property
    def hash(self) -> str:
        """Tells this template from others."""
        return short_hash(self.model_dump_json(), 9)


class Strategy(KubeModel):
    """How a Deployment's pods of an old template are replaced."""

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"


class WorkloadSpec(KubeModel):
    """``replicas`` None: as many as there are, one if it is new."""

    replicas: Annotated[int, Field(ge=0, le=MOST_REPLICAS)] | None = None
    selector: LabelSelector
    template: PodTemplate
    strategy: Strategy = Strategy()

    @model_validator(mode="after")
    def _selects_its_own(self) -> WorkloadSpec:
        if self.selector.empty:
            raise ValueError("selector: it has to say something, or it would take every pod")
        if not self.selector.selects(self.template.metadata.labels):
            raise ValueError("selector: it does not select the labels of the template")
        return self


class Workload(KubeObject):
    """Base of these kinds."""

    VERSION: ClassVar[str] = "apps/v1"
    HASH_LABEL: ClassVar[str] = ""
    """The label that tells by which template a pod was made; empty: pods stay whatever becomes of the template."""

    spec: WorkloadSpec

    @property
    def replicas(self) -> int:
        """How many pods there are to be."""
        return 1 if self.spec.replicas is None else self.spec.replicas


class Deployment(Workload):
    """Pods that are all alike."""

    KIND: ClassVar[str] = "Deployment"
    RESOURCE: ClassVar[str] = "deployment.apps"
    HASH_LABEL: ClassVar[str] = "pod-template-hash"


class ReplicaSet(Workload):
    """Pods that are all alike; those that are there stay as they are."""

    KIND: ClassVar[str] = "ReplicaSet"
    RESOURCE: ClassVar[str] = "replicaset.apps"


class StatefulSet(Workload):
    """Pods with numbers, each of which comes back under its name."""

    KIND: ClassVar[str] = "StatefulSet"
    RESOURCE: ClassVar[str] = "statefulset.apps"
    HASH_LABEL: ClassVar[str] = "controller-revision-hash"


class DaemonSet(Workload):
    """A pod on every node."""

    KIND: ClassVar[str] = "DaemonSet"
    RESOURCE: ClassVar[str] = "daemonset.apps"
    HASH_LABEL: ClassVar[str] = "controller-revision-hash"
