"""af_packet.api through the real vpp_papi client, over a veth pair of the host. Needs root."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.backends.tap.namespaces import namespaces, needs_root, sh
from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv

pytestmark = needs_root
ETHERNET, IP = 1, 2
QDISC_BYPASS, CKSUM_GSO, VERSION_2 = 1, 2, 8


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=True) as it:
        yield it


@pytest.fixture
def veth() -> Iterator[tuple[str, str]]:
    """The near end's name, here, and the namespace of the far end."""
    name = f"vp{os.getpid()}"
    with namespaces("api") as (far,):
        sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", far)
        sh("ip", "-n", far, "link", "set", "eth0", "up")
        sh("ip", "-n", far, "addr", "add", "10.79.0.2/24", "dev", "eth0")
        try:
            yield name, far
        finally:
            sh("ip", "link", "del", name, check=False)


def test_made_listed_used_and_deleted(served: Served, veth: tuple[str, str]) -> None:
    """It answers pings; the host's interface stays when it goes."""
    api = served.client.api
    name, far = veth
    made = api.af_packet_create_v3(
        mode=ETHERNET,
        use_random_hw_addr=False,
        hw_addr="02:00:00:00:09:01",
        host_if_name=name,
        flags=QDISC_BYPASS | CKSUM_GSO,
        num_rx_queues=2,
    )
    assert made.retval == 0
    index = made.sw_if_index
    (told,) = api.af_packet_dump()
    assert (told.sw_if_index, told.host_if_name) == (index, name)
    (seen,) = api.sw_interface_dump(sw_if_index=index)
    assert (seen.interface_name, seen.interface_dev_type) == (f"host-{name}", "af-packet")
    assert (str(seen.l2_address), seen.link_mtu) == ("02:00:00:00:09:01", 1500)
    assert api.af_packet_set_l4_cksum_offload(sw_if_index=index, set=True).retval == 0
    api.sw_interface_set_flags(sw_if_index=index, flags=1)
    api.sw_interface_add_del_address(sw_if_index=index, is_add=True, prefix="10.79.0.1/24")
    assert " 2 received" in sh("ip", "netns", "exec", far, "ping", "-c", "2", "-i", "0.2", "10.79.0.1")
    assert api.af_packet_delete(host_if_name=name).retval == 0
    assert api.af_packet_dump() == [] and name in sh("ip", "link")


def test_older_messages(served: Served, veth: tuple[str, str]) -> None:
    """They make the same."""
    api = served.client.api
    for create in (api.af_packet_create, api.af_packet_create_v2):
        assert create(host_if_name=veth[0], use_random_hw_addr=True).retval == 0
        assert api.af_packet_delete(host_if_name=veth[0]).retval == 0


def test_refused(served: Served, veth: tuple[str, str]) -> None:
    """As VPP refuses it; nothing is left behind."""
    api = served.client.api
    usual = {"mode": ETHERNET, "use_random_hw_addr": True, "flags": CKSUM_GSO}
    made = api.af_packet_create_v3(host_if_name=veth[0], **usual)
    again = api.af_packet_create_v3(host_if_name=veth[0], **usual)
    assert (made.retval, again.retval) == (0, rv.IF_ALREADY_EXISTS) and again.sw_if_index == made.sw_if_index
    before = len(api.sw_interface_dump())
    assert api.af_packet_create_v3(host_if_name="nothere", **usual).retval == rv.INVALID_INTERFACE
    assert api.af_packet_create_v3(host_if_name="", **usual).retval == rv.INVALID_INTERFACE
    assert api.af_packet_create_v3(host_if_name="lo", **(usual | {"mode": IP})).retval == rv.UNSUPPORTED
    assert api.af_packet_create_v3(host_if_name="lo", **(usual | {"mode": 7})).retval == rv.INVALID_VALUE
    assert api.af_packet_delete(host_if_name="nothere").retval == rv.SYSCALL_ERROR_1
    assert len(api.sw_interface_dump()) == before
