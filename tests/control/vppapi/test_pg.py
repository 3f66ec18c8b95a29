"""pg.api through the real vpp_papi client, packets included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import rdpcap

from tests.control.vppapi.client import Served, serve
from tests.naive.ip4_packet import Ip4, address
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.control.vppapi import retval as rv

NONE = 0xFFFFFFFF


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api")) as it:
        yield it


@pytest.fixture
def api(served: Served) -> Iterator[Any]:
    """The client's calls; afterwards no packet generator is left."""
    yield served.client.api
    with served.engine.paused():
        for index in sorted(served.engine.interfaces.by_index, reverse=True)[:-1]:
            served.engine.interfaces.remove(index)


def test_three_ways_to_make_one(api: Any, served: Served) -> None:
    made = [
        api.pg_create_interface(interface_id=0, gso_enabled=True, gso_size=1400),
        api.pg_create_interface_v2(interface_id=1, mode=1),
        api.pg_create_interface_v3(interface_id=2, pg_flags=1, mode=2),
        api.pg_create_interface_v3(interface_id=3, pg_flags=2, gso_size=1400),
        api.pg_create_interface_v3(interface_id=4, pg_flags=3, gso_size=1400),
    ]
    assert [m.retval for m in made] == [0] * 5
    devices = [served.engine.pg.device(m.sw_if_index) for m in made]
    assert [d.mode for d in devices] == ["ethernet", "ip4", "ip6", "ethernet", "ethernet"]
    assert [d.gso_size for d in devices] == [1400, 0, 0, 1400, 0], "checksum offload excludes the other, as in VPP"
    assert [d.offloads != 0 for d in devices] == [False, False, True, False, True]
    assert api.pg_create_interface_v3(interface_id=1).sw_if_index == made[1].sw_if_index, "the one that is there"
    assert api.sw_interface_dump(sw_if_index=made[0].sw_if_index)[0].interface_name == "pg0"
    far = api.pg_create_interface(interface_id=NONE).sw_if_index
    assert api.sw_interface_dump(sw_if_index=far)[0].interface_name == "pg-1"


def test_delete(api: Any) -> None:
    index, loop = api.pg_create_interface(interface_id=0).sw_if_index, api.create_loopback().sw_if_index
    found = [api.pg_delete_interface(sw_if_index=i).retval for i in (loop, 0, index, index)]
    assert found == [rv.INVALID_SW_IF_INDEX, rv.INVALID_SW_IF_INDEX, 0, rv.INVALID_SW_IF_INDEX]


def test_capture_and_streams(api: Any, served: Served, tmp_path: Path) -> None:
    """Sent in real time, by the packet thread; the file is whole once no stream is active."""
    for k in (0, 1):
        index = api.pg_create_interface(interface_id=k).sw_if_index
        api.sw_interface_set_flags(sw_if_index=index, flags=1)
        api.sw_interface_add_del_address(sw_if_index=index, is_add=True, prefix=f"10.0.{k}.1/24")
    path = tmp_path / "out.pcap"
    assert api.pg_capture(interface_id=1, pcap_file_name=str(path)).retval == 0
    packet = bytes(Ip4(address("10.0.0.2"), address("10.0.1.2"), payload=bytes.fromhex("0035003500080000")))
    with served.engine.paused():
        mac = served.engine.interfaces["pg0"].mac
        served.engine.neighbours.add(index, "10.0.1.2", b"\2" * 6)
        served.engine.pg.add(
            "x", served.engine.interfaces["pg0"].sw_if_index, [mac + bytes(6) + b"\x08\x00" + packet] * 9
        )
    assert api.pg_enable_disable(is_enabled=True, stream_name="x").retval == 0
    wait(served)
    assert len(rdpcap(str(path))) == 9
    assert api.pg_enable_disable(is_enabled=True, stream_name="nobody").retval == 0, "all, as in VPP"
    wait(served)
    assert len(rdpcap(str(path))) == 18
    assert api.pg_capture(interface_id=1, pcap_file_name=str(path)).retval == rv.CANNOT_CREATE_PCAP_FILE
    assert api.pg_capture(interface_id=1, is_enabled=False, pcap_file_name="").retval == 0
    device = served.engine.interfaces["pg1"].device
    assert isinstance(device, PgDevice) and device.capture is None
    assert api.pg_capture(interface_id=77, pcap_file_name=str(tmp_path / "none")).retval == 0, "no such interface"
    assert api.pg_enable_disable(is_enabled=False, stream_name="x").retval == 0


def wait(served: Served) -> None:
    """Until nothing is sent any more, as `show packet-generator` would say."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with served.engine.paused():
            if not served.engine.pg.active():
                return
        time.sleep(0.002)
    raise AssertionError("the streams do not end")
