"""Namespaces end when nothing is left in them."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.api.pod_runner import DELETED
from vectorplane.control.cluster.kube.model.base import KubeObject, Metadata, Ref
from vectorplane.control.cluster.kube.model.kinds import ALL
from vectorplane.control.cluster.kube.model.nodes import NAMESPACE_LABEL, Namespace
from vectorplane.control.cluster.kube.objects import Index, Objects

BUILT_IN = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has."""


class Namespaces:
    """What is in which, and those that are being deleted."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        inside = [kind for kind in ALL if kind.NAMESPACED]
        self._inside: Index[str] = Index(objects, inside, lambda o: (o.namespace,))
        self._ending: dict[str, None] = {}
        for name in BUILT_IN:
            objects.put(Namespace(metadata=Metadata(name=name, labels={NAMESPACE_LABEL: name})))

    def check(self, new: KubeObject) -> None:
        """Raises KubeError: there is no such namespace, or it is being deleted."""
        found = self._objects.one(Namespace, new.namespace)
        if found is None:
            raise KubeError(new.ref, "metadata.namespace", f"there is no namespace {new.namespace}")
        if found.deleting:
            raise KubeError(new.ref, "metadata.namespace", f"namespace {new.namespace} is being deleted")

    def delete(self, namespace: Namespace) -> list[Any]:
        """It is to go. Gives what is in it, which is to be deleted now.

        Raises:
            KubeError: every cluster has it.
        """
        if namespace.name in BUILT_IN:
            raise KubeError(namespace.ref, "", "every cluster has this namespace: it can't be deleted")
        self._objects.put(namespace.with_metadata(deletionTimestamp=DELETED))
        self._ending[namespace.name] = None
        return self.contents(namespace.name)

    def contents(self, name: str) -> list[Any]:
        """What is in a namespace."""
        return self._inside.objects(name)

    def run(self) -> bool:
        """Remove those that are empty. Says whether any was."""
        empty = [name for name in self._ending if not self._inside.count(name)]
        for name in empty:
            del self._ending[name]
            self._objects.remove(Ref(Namespace.KIND, "", name))
        return bool(empty)
