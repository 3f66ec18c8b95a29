"""Manifests in files, kept in force: what changes there changes in the cluster, what vanishes there is deleted."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from vectorplane.control.cluster.kube.api.cluster import KubeCluster
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.manifests.objects import Manifest
from vectorplane.control.cluster.kube.manifests.read import Manifests, files, load
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.kinds import ORDER
from vectorplane.control.config_error import ConfigError

log = logging.getLogger(__name__)

_Stamps = dict[str, tuple[int, ...]]


class Watcher:
    """Looks at files and folders whenever `poll` is called. Only what came from them is ever deleted again.

    ``errors``: what is wrong now, one line of text each; ``warnings``: what is there but does not count.
    """

    def __init__(self, cluster: KubeCluster, paths: Sequence[str]) -> None:
        """Nothing is read yet. Paths need not exist until they are read."""
        self._cluster, self._paths = cluster, tuple(paths)
        self._seen: _Stamps | None = None
        self._pending: _Stamps | None = None
        self._wanted: dict[Ref, Manifest] = {}
        self._applied: dict[Ref, Manifest] = {}
        """What of it is in the cluster, as it was when it was brought there."""
        self._mistakes: list[str] = []
        self._refused: dict[Ref, str] = {}
        self.warnings: list[str] = []

    @property
    def errors(self) -> list[str]:
        """Mistakes in files (what was read before them counts), and what the cluster does not take."""
        return [*self._mistakes, *self._refused.values()]

    def start(self) -> list[str]:
        """Read everything and apply it. Gives kubectl's words for each object that is different now.

        Raises:
            ConfigError: the files have mistakes; nothing was applied.
        """
        self._seen = self._stamps()
        self._take(load(self._paths))
        return self._bring()

    def poll(self) -> list[str]:
        """Look whether files changed, and if so for as long as it takes to look twice, do what `start` does.

        Files with mistakes change nothing (see `errors`). What the cluster refused is tried again.
        """
        now = self._stamps()
        if now != self._seen and now == self._pending:
            self._pending, self._seen = None, now
            self._mistakes = []
            try:
                self._take(load(self._paths))
            except ConfigError as error:
                self._mistakes = error.lines()
                for line in self._mistakes:
                    log.error("%s", line)
        else:
            # whoever writes them may not have finished
            self._pending = now if now != self._seen else None
        return self._bring()

    def _take(self, found: Manifests) -> None:
        self._wanted = {manifest.object.ref: manifest for manifest in found.manifests}
        self.warnings = found.warnings
        for warning in found.warnings:
            log.warning("%s", warning)

    def _bring(self) -> list[str]:
        """Apply what is not applied, delete what is not wanted any more."""
        told, refused = [], {}
        gone = [ref for ref in self._applied if ref not in self._wanted]
        for ref in sorted(gone, key=lambda ref: -ORDER[ref.kind]):
            manifest = self._applied.pop(ref)
            try:
                told.append(self._cluster.delete(type(manifest.object), ref.name, ref.namespace))
            except KubeError as error:  # somebody else deleted it, or every cluster has it
                log.info("%s: %s", manifest, error)
        new = [m for ref, m in self._wanted.items() if not self._is_applied(ref, m)]
        for answer in self._cluster.apply_all([m.object for m in new]):
            manifest = self._wanted[answer.ref]
            if answer.error is None:
                self._applied[answer.ref] = manifest
                told.append(answer.text)
            else:
                refused[answer.ref] = f"{manifest}: {answer.error}"
                if self._refused.get(answer.ref) != refused[answer.ref]:
                    log.error("%s", refused[answer.ref])
        self._refused = refused
        return told

    def _is_applied(self, ref: Ref, manifest: Manifest) -> bool:
        applied = self._applied.get(ref)
        return applied is not None and applied.object == manifest.object

    def _stamps(self) -> _Stamps:
        """What tells whether a file changed, of all files that there are."""
        stamps: _Stamps = {}
        for file in files(self._paths, []):
            try:
                found = os.stat(file)
            except (OSError, ValueError):
                stamps[file] = ()
            else:
                stamps[file] = (found.st_ino, found.st_size, found.st_mtime_ns)
        return stamps
