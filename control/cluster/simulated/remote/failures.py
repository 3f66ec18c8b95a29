"""What went wrong in a node's process, as JSON, so that it is raised as what it is on the cluster's side."""

from __future__ import annotations

import traceback
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.control.cluster.kube.api.kubelet import KubeletError
from vectorplane.control.packet_explain.copy_of_process import CopyError
from vectorplane.pcap.errors import CaptureError

_PLAIN: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (BackendError, KubeletError, CopyError, ValueError, OverflowError)
}


def failure_out(error: Exception) -> dict[str, Any]:
    """An error as JSON; of one that nobody expects all that helps to find it."""
    if isinstance(error, CaptureError):
        return {"kind": "CaptureError", "args": [error.name, error.reason, error.offset]}
    if isinstance(error, OSError):
        return {"kind": "OSError", "args": [error.errno, error.strerror, error.filename]}
    for kind in _PLAIN.values():
        if isinstance(error, kind):
            return {"kind": kind.__name__, "args": [str(error)]}
    return {"kind": "RuntimeError", "args": ["".join(traceback.format_exception(error))]}


def failure_in(told: dict[str, Any]) -> Exception:
    """The error that `failure_out` tells."""
    kind, args = told["kind"], told["args"]
    if kind == "CaptureError":
        return CaptureError(*args)
    if kind == "OSError":
        return OSError(*args)
    return _PLAIN.get(kind, RuntimeError)(*args)
