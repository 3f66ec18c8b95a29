"""memclnt, vlib and vpe: pings, versions, message ids, the debug CLI, nodes, threads, time and log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from vectorplane.control.vpp_version import VPP_VERSION
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.retval import (
    API_ENDIAN_FAILED,
    INVALID_VALUE,
    NO_SUCH_ENTRY,
    NO_SUCH_NODE,
    NO_SUCH_NODE2,
    UNIMPLEMENTED,
    UNSPECIFIED,
)
from vectorplane.dataplane.show.columns import thread_name

_NONE = 0xFFFFFFFF


def control_ping(api: Api, m: Any) -> dict[str, Any]:
    """Who is there."""
    return {"client_index": m.client_index, "vpe_pid": os.getpid()}


def memclnt_keepalive(api: Api, m: Any) -> None:
    """Nothing but an answer."""


def get_first_msg_id(api: Api, m: Any) -> dict[str, Any]:
    """The first message id of an API file, named as `acl_` and the file's CRC."""
    dispatcher = api.dispatcher
    first = dispatcher.ids.first_of(m.name, dispatcher.registry.files.values())
    return {"first_msg_id": first} if first is not None else {"retval": INVALID_VALUE, "first_msg_id": 0xFFFF}


def api_versions(api: Api, m: Any) -> dict[str, Any]:
    """The API files and their versions."""
    versions = []
    for file in api.dispatcher.registry.files.values():
        if not file.messages:
            continue
        major, minor, patch = map(int, file.version.split("."))
        versions.append({"major": major, "minor": minor, "patch": patch, "name": f"{file.name}.api"})
    return {"api_versions": versions}


def cli_inband(api: Api, m: Any) -> dict[str, Any]:
    """A line of the debug CLI. What a failing command printed is part of the reply, as in VPP."""
    if api.cli is None:
        return {"retval": UNIMPLEMENTED}
    try:
        return {"reply": api.cli.run(m.cmd)}
    except Exception as e:
        return {"retval": getattr(e, "retval", UNSPECIFIED), "reply": str(e)}


def get_node_index(api: Api, m: Any) -> dict[str, Any]:
    """A node's index by its name."""
    graph = api.engine.plane.graph
    if m.node_name not in graph:
        return {"retval": NO_SUCH_NODE, "node_index": _NONE}
    return {"node_index": graph[m.node_name].index}


def get_next_index(api: Api, m: Any) -> dict[str, Any]:
    """The slot of a node's next table in which another node is."""
    graph = api.engine.plane.graph
    for name, retval in ((m.node_name, NO_SUCH_NODE), (m.next_name, NO_SUCH_NODE2)):
        if name not in graph:
            return {"retval": retval, "next_index": _NONE}
    slots = graph[m.node_name].slots
    if m.next_name not in slots:
        return {"retval": NO_SUCH_ENTRY, "next_index": _NONE}
    return {"next_index": slots[m.next_name]}


def add_node_next(api: Api, m: Any) -> dict[str, Any]:
    """The same; the slot is made when there is none. Nodes that nothing has needed yet join for it."""
    graph = api.engine.plane.graph
    for name, retval in ((m.node_name, NO_SUCH_NODE), (m.next_name, NO_SUCH_NODE2)):
        if name not in graph and name not in graph.registry:
            return {"retval": retval, "next_index": _NONE}
    return {"next_index": graph.add_next(graph.add(m.node_name), m.next_name)}


def show_threads(api: Api, m: Any) -> dict[str, Any]:
    """A line a worker."""
    native = {t.name: t.native_id for t in threading.enumerate()}
    rows = []
    for i in range(len(api.engine.plane.workers)):
        pid = native.get(f"vectorplane_{i}") or os.getpid()
        rows.append({"id": i, "name": thread_name(i), "type": "workers" if i else "", "pid": pid})
    return {"thread_data": rows}


def get_f64_endian_value(api: Api, m: Any) -> dict[str, Any]:
    """Do both sides agree on how f64 is sent?"""
    return {"retval": 0 if m.f64_one == 1.0 else API_ENDIAN_FAILED & 0xFFFFFFFF, "f64_one_result": 1.0}


def get_f64_increment_by_one(api: Api, m: Any) -> dict[str, Any]:
    """One more."""
    return {"f64_value": m.f64_value + 1.0}


def show_version(api: Api, m: Any) -> dict[str, Any]:
    """Program, version, date, directory."""
    return {
        "program": "vpe",
        "version": VPP_VERSION,
        "build_date": "",
        "build_directory": f"python {sys.version.split()[0]}",
    }


def show_vpe_system_time(api: Api, m: Any) -> dict[str, Any]:
    """Seconds since 1970."""
    return {"vpe_system_time": time.time()}


def log_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """The log from a time on."""
    if api.cli is None:
        return
    for e in api.cli.log.entries():
        if e.time >= m.start_timestamp:
            yield {"timestamp": e.time, "level": e.level, "msg_class": e.category, "message": e.text}


HANDLERS = {
    "control_ping": control_ping,
    "memclnt_keepalive": memclnt_keepalive,
    "get_first_msg_id": get_first_msg_id,
    "api_versions": api_versions,
    "cli_inband": cli_inband,
    "get_node_index": get_node_index,
    "get_next_index": get_next_index,
    "add_node_next": add_node_next,
    "show_threads": show_threads,
    "get_f64_endian_value": get_f64_endian_value,
    "get_f64_increment_by_one": get_f64_increment_by_one,
    "show_version": show_version,
    "show_vpe_system_time": show_vpe_system_time,
    "log_dump": log_dump,
}
