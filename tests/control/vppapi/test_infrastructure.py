"""The messages that every client uses, through the real vpp_papi client."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.control.vppapi.client import Served, serve
from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.log import NOTICE, Log


class Echo:
    """A CLI that knows `echo` and `log`."""

    def __init__(self) -> None:
        self.log = Log()

    def run(self, line: str) -> str:
        word, _, rest = line.partition(" ")
        if word == "log":
            self.log.add(NOTICE, "test", rest)
        elif word != "echo":
            raise CliError(f"unknown input `{line}'", retval=-1)
        return rest


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), cli=Echo()) as it:
        yield it


def test_control_ping(served: Served) -> None:
    reply = served.client.api.control_ping()
    assert (reply.retval, reply.vpe_pid) == (0, os.getpid())
    assert reply.client_index == served.client.transport.socket_index


def test_version_and_time(served: Served) -> None:
    version = served.client.api.show_version()
    assert version.program == "vpe" and version.version.startswith("26.10-rc0~vectorplane")
    assert abs(served.client.api.show_vpe_system_time().vpe_system_time.timestamp() - time.time()) < 60


def test_api_versions(served: Served) -> None:
    versions = {v.name: (v.major, v.minor, v.patch) for v in served.client.api.api_versions().api_versions}
    assert versions["vlib.api"] == (1, 0, 0) and "ip_types.api" not in versions


def test_first_message_id(served: Served) -> None:
    reply = served.client.api.get_first_msg_id(name="vlib_9a9e84e4")
    table = served.client.transport.message_table
    assert (reply.retval, reply.first_msg_id + 1) == (0, table["cli_inband_f8377302"])
    assert served.client.api.get_first_msg_id(name="no_such").retval == -7
    assert table["sockclnt_create_455fb9c4"] == 15


def test_cli_inband(served: Served) -> None:
    assert served.client.api.cli_inband(cmd="echo what is said").reply == "what is said"
    failed = served.client.api.cli_inband(cmd="nonsense")
    assert (failed.retval, failed.reply) == (-1, "unknown input `nonsense'\n")


def test_nodes(served: Served) -> None:
    api = served.client.api
    with served.engine.paused():
        node = served.engine.plane.graph["null-node"]
    assert api.get_node_index(node_name="null-node").node_index == node.index
    assert api.get_node_index(node_name="nothing").retval == -63


def test_next_nodes(served: Served) -> None:
    """A node that nothing has needed yet joins, as all nodes are there in VPP."""
    api = served.client.api
    with served.engine.paused():
        graph = served.engine.plane.graph
        assert "loopback-tx" not in graph
    known = {"node_name": "loopback-tx", "next_name": "null-node"}
    assert api.get_next_index(**known).retval == -63
    made = api.add_node_next(**known)
    assert made.retval == 0 and api.add_node_next(**known).next_index == made.next_index
    assert api.get_next_index(**known).next_index == made.next_index
    for change, retval in (({"node_name": "nothing"}, -63), ({"next_name": "nothing"}, -64)):
        refused = api.add_node_next(**(known | change))
        assert (refused.retval, refused.next_index) == (retval, 0xFFFFFFFF)


def test_threads(served: Served) -> None:
    (thread,) = served.client.api.show_threads().thread_data
    assert thread.name == "vpp_main" and thread.pid > 0


def test_f64(served: Served) -> None:
    assert served.client.api.get_f64_endian_value(f64_one=1.0).f64_one_result == 1.0
    assert served.client.api.get_f64_increment_by_one(f64_value=41.5).f64_value == 42.5


def test_log_dump(served: Served) -> None:
    served.client.api.cli_inband(cmd="log something happened")
    assert "something happened" in [e.message for e in served.client.api.log_dump()]
    assert served.client.api.log_dump(start_timestamp=time.time() + 60) == []
