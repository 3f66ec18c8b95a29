"""tapv2.api through the real vpp_papi client, with the host's own interfaces at the other end. Needs root."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest

from tests.backends.tap.namespaces import namespaces, needs_root, sh
from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv

pytestmark = needs_root
NONE = 0xFFFFFFFF
GSO, CHECKSUMS, TUN, GRO = 1, 2, 16, 32


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=True) as it:
        yield it


def test_made_listed_used_and_deleted(served: Served) -> None:
    """The host's end has what was asked for, answers pings, and goes with the tap."""
    api = served.client.api
    with namespaces("api") as (host,):
        made = api.tap_create_v3(
            id=7,
            use_random_mac=False,
            mac_address="02:00:00:00:07:01",
            host_if_name_set=True,
            host_if_name="eth7",
            host_namespace_set=True,
            host_namespace=host,
            host_mac_addr_set=True,
            host_mac_addr="02:00:00:00:07:02",
            host_ip4_prefix_set=True,
            host_ip4_prefix="10.7.0.2/24",
            host_ip6_prefix_set=True,
            host_ip6_prefix="fd07::2/64",
            host_mtu_set=True,
            host_mtu_size=1400,
            tap_flags=CHECKSUMS,
        )
        assert made.retval == 0
        index = made.sw_if_index
        (told,) = api.sw_interface_tap_v2_dump(sw_if_index=NONE)
        assert (told.sw_if_index, told.id, told.dev_name, told.host_if_name) == (index, 7, "tap7", "eth7")
        assert (told.host_namespace, told.host_mtu_size, int(told.tap_flags)) == (host, 1400, CHECKSUMS)
        assert (str(told.host_mac_addr), str(told.host_ip4_prefix)) == ("02:00:00:00:07:02", "10.7.0.2/24")
        (link,) = json.loads(sh("ip", "-n", host, "-j", "addr", "show", "eth7"))
        assert (link["mtu"], link["address"]) == (1400, "02:00:00:00:07:02")
        assert {"10.7.0.2", "fd07::2"} <= {a["local"] for a in link["addr_info"]}
        api.sw_interface_set_flags(sw_if_index=index, flags=1)
        api.sw_interface_add_del_address(sw_if_index=index, is_add=True, prefix="10.7.0.1/24")
        assert " 2 received" in sh("ip", "netns", "exec", host, "ping", "-c", "2", "-i", "0.2", "10.7.0.1")
        assert api.tap_delete_v2(sw_if_index=index).retval == 0
        end = time.monotonic() + 2
        while "eth7" in sh("ip", "-n", host, "link") and time.monotonic() < end:
            time.sleep(0.01)  # the packet thread may still be about to wake up from a sleep on it
        assert "eth7" not in sh("ip", "-n", host, "link")
        assert api.sw_interface_tap_v2_dump(sw_if_index=NONE) == []


def test_tcp_uncut(served: Served) -> None:
    """GSO and GRO are told again; an interface that can't cut has it done."""
    api = served.client.api
    with namespaces("api") as (host,):
        made = api.tap_create_v3(id=3, tap_flags=GSO | GRO, host_namespace_set=True, host_namespace=host)
        (told,) = api.sw_interface_tap_v2_dump(sw_if_index=made.sw_if_index)
        assert int(told.tap_flags) == GSO | GRO
        asked = {"arc_name": "ip4-output", "feature_name": "gso-ip4", "sw_if_index": made.sw_if_index}
        for on in (True, True, False):
            assert api.feature_gso_enable_disable(sw_if_index=made.sw_if_index, enable_disable=on).retval == 0
            assert api.feature_is_enabled(**asked).is_enabled == on
        assert api.feature_gso_enable_disable(sw_if_index=77, enable_disable=True).retval == rv.INVALID_SW_IF_INDEX
        assert api.tap_delete_v2(sw_if_index=made.sw_if_index).retval == 0


def test_in_the_namespace_that_we_are_in(served: Served) -> None:
    """The server's thread has an asyncio loop running, which pyroute2 does not like."""
    name = f"vp{os.getpid()}"
    made = served.client.api.tap_create_v3(host_if_name_set=True, host_if_name=name)
    assert made.retval == 0 and name in sh("ip", "link")
    assert served.client.api.tap_delete_v2(sw_if_index=made.sw_if_index).retval == 0


def test_refused(served: Served) -> None:
    """As VPP refuses it; nothing is left behind."""
    api = served.client.api
    with namespaces("api") as (host,):
        there = {"host_namespace_set": True, "host_namespace": host}
        assert api.tap_create_v3(id=1, **there).retval == 0
        before = len(api.sw_interface_dump())
        assert api.tap_create_v3(id=1, **there).retval == rv.INVALID_INTERFACE
        assert api.tap_create_v3(id=5000, **there).retval == rv.INVALID_INTERFACE
        nowhere = {"host_namespace_set": True, "host_namespace": "nowhere"}
        assert api.tap_create_v3(id=2, **nowhere).retval == rv.SYSCALL_ERROR_2
        name = {"host_if_name_set": True, "host_if_name": "a name"}
        assert api.tap_create_v3(id=2, **name).retval == rv.INVALID_VALUE
        bridge = {"host_bridge_set": True, "host_bridge": "nobridge"}
        assert api.tap_create_v3(id=2, **there, **bridge).retval == rv.NETLINK_ERROR
        assert api.tap_create_v3(id=2, tap_flags=TUN, **there).retval == rv.UNSUPPORTED
        assert api.tap_delete_v2(sw_if_index=0).retval == rv.INVALID_SW_IF_INDEX
        assert api.tap_delete_v2(sw_if_index=99).retval == rv.INVALID_SW_IF_INDEX
        assert len(api.sw_interface_dump()) == before
