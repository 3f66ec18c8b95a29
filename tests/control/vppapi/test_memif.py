"""memif.api through the real vpp_papi client: sockets, interfaces, a link between two of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.vppapi.client import Served, serve
from vectorplane.control.vppapi import retval as rv

MASTER, SLAVE = 0, 1
ANY = 0xFFFFFFFF


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=True) as it:
        yield it


def test_two_interfaces_with_a_link(served: Served, tmp_path: Path) -> None:
    """A slave connects to a master at the same path; details tell of it; deleting one takes the other's link down."""
    api = served.client.api
    path = str(tmp_path / "m.sock")
    assert api.memif_socket_filename_add_del_v2(is_add=True, socket_id=1, socket_filename=path).retval == 0
    chosen = api.memif_socket_filename_add_del_v2(is_add=True, socket_id=ANY, socket_filename=path)
    assert chosen.retval == 0 and chosen.socket_id not in (0, 1, ANY)
    names = {d.socket_id: d.socket_filename for d in api.memif_socket_filename_dump()}
    assert names[1] == names[chosen.socket_id] == path and names[0].endswith("/memif.sock")
    master = api.memif_create_v2(role=MASTER, id=7, socket_id=1, secret="s", hw_addr="02:00:00:00:00:07")
    assert master.retval == 0
    second = str(tmp_path / "second.sock")
    api.memif_socket_filename_add_del(is_add=True, socket_id=2, socket_filename=second)
    (tmp_path / "second.sock").symlink_to(path)  # as VPP we want masters and slaves at sockets of their own
    slave = api.memif_create(role=SLAVE, id=7, socket_id=2, secret="s", ring_size=256, buffer_size=1024, rx_queues=2)
    assert slave.retval == 0
    for made in (master, slave):
        api.sw_interface_set_flags(sw_if_index=made.sw_if_index, flags=1)
    end = time.monotonic() + 20
    while [int(d.flags) for d in api.memif_dump()] != [3, 3]:
        assert time.monotonic() < end
        time.sleep(0.05)
    one, two = api.memif_dump()
    assert (one.if_name, one.id, int(one.role), one.socket_id) == ("memif1/7", 7, MASTER, 1)
    assert (str(one.hw_addr), one.ring_size, one.buffer_size) == ("02:00:00:00:00:07", 1, 0)
    assert (two.if_name, int(two.role), two.socket_id) == ("memif2/7", SLAVE, 2)
    assert (two.ring_size, two.buffer_size) == (256, 1024)
    assert not two.zero_copy and str(two.hw_addr).startswith("02:fe:")
    assert api.memif_socket_filename_add_del_v2(is_add=False, socket_id=2).retval == rv.UNEXPECTED_INTF_STATE
    assert api.memif_delete(sw_if_index=master.sw_if_index).retval == 0
    end = time.monotonic() + 5
    while [int(d.flags) for d in api.memif_dump()] != [1]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert api.memif_delete(sw_if_index=slave.sw_if_index).retval == 0
    assert api.memif_socket_filename_add_del_v2(is_add=False, socket_id=2).retval == 0
    assert api.memif_dump() == []


def test_what_is_refused(served: Served, tmp_path: Path) -> None:
    """With VPP's return codes."""
    api = served.client.api
    path = str(tmp_path / "m.sock")

    def named(number: int, name: str = "", add: bool = True) -> int:
        retval: int = api.memif_socket_filename_add_del_v2(is_add=add, socket_id=number, socket_filename=name).retval
        return retval

    assert named(0, path) == rv.INVALID_ARGUMENT
    assert named(5, "") == rv.INVALID_ARGUMENT
    assert named(5, add=False) == rv.INVALID_ARGUMENT
    assert named(5, path) == 0 and named(5, path) == 0
    assert named(5, path + "x") == rv.ENTRY_ALREADY_EXISTS
    for number in (0, ANY):
        old = api.memif_socket_filename_add_del(is_add=True, socket_id=number, socket_filename=path)
        assert old.retval == rv.INVALID_ARGUMENT

    def create(**fields: object) -> tuple[int, int]:
        made = api.memif_create_v2(**{"role": MASTER, "id": 1, "socket_id": 5, **fields})
        return made.retval, made.sw_if_index

    assert create(socket_id=6) == (rv.INVALID_ARGUMENT, 0)
    assert create(ring_size=100) == (rv.INVALID_ARGUMENT, 0)
    assert create(mode=1) == (rv.UNSUPPORTED, 0)
    assert create(mode=2) == (rv.SYSCALL_ERROR_2, 0)
    assert create()[0] == 0
    assert create() == (rv.SUBIF_ALREADY_EXISTS, 0)
    assert create(role=SLAVE, id=2) == (rv.SUBIF_ALREADY_EXISTS, 0)
    assert create(id=2)[0] == 0
    assert named(7, str(tmp_path / "none" / "m.sock")) == 0
    assert create(socket_id=7) == (rv.SYSCALL_ERROR_4, 0)
    assert api.memif_delete(sw_if_index=0).retval == rv.INVALID_SW_IF_INDEX
    assert api.memif_delete(sw_if_index=77).retval == rv.INVALID_SW_IF_INDEX
