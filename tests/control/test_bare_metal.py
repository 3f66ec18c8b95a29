"""The checks of a bare-metal host, on made-up hosts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.control.fake_host import FakeHost
from vectorplane.cli.doctor_bare_metal import Ask, dpdk, vpp
from vectorplane.control.bare_metal import BAD, FAIR, GOOD, Finding, examine
from vectorplane.control.host import Host, HugePages


def looked(host: Host, user: str = "root") -> dict[str, Finding]:
    return {f.what: f for f in examine(host, user)}


@pytest.fixture
def fake(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def test_a_host_that_is_ready(fake: FakeHost) -> None:
    fake.write("sys/kernel/iommu_groups/0/type", "DMA")
    fake.write("sys/module/vfio_pci/refcnt", "0")
    fake.write("proc/mounts", "proc /proc proc rw 0 0\nnodev /dev/hugepages hugetlbfs rw 0 0")
    fake.write("sys/devices/system/cpu/online", "0-7")
    fake.write("sys/devices/system/cpu/isolated", "2-3,6")
    fake.write("etc/group", "root:x:0:\nvpp:x:990:ann,bob")
    fake.node(0, "0-3")
    fake.node(1, "4-7")
    fake.pages(1, 2048, 1024, 1000)
    fake.pages(1, 1048576, 2, 2)
    fake.pages(0, 2048, 0, 0)
    fake.card("0000:81:00.0", "vfio-pci", node=1)
    found = looked(fake.host, "ann")
    assert [f.what for f in found.values() if f.state != GOOD] == []
    assert found["huge pages, node 1"].found == "2 of 1 GB (2 free), 1024 of 2 MB (1000 free)"
    assert found["hugetlbfs"].found == "/dev/hugepages" and found["isolated cores"].found == "2, 3, 6"
    assert found["cores"].found == "node 0: 4; node 1: 4"
    assert not any(f.do for f in found.values())


def test_a_bare_host_is_told_what_to_do(fake: FakeHost) -> None:
    found = looked(fake.host, "eve")
    assert found["IOMMU"].state == BAD and "intel_iommu=on" in found["IOMMU"].do
    assert found["vfio-pci"].do == "modprobe vfio-pci"
    assert found["huge pages, node 0"].state == BAD and "node0" in found["huge pages, node 0"].do
    assert found["hugetlbfs"].state == FAIR and "mount -t hugetlbfs" in found["hugetlbfs"].do
    assert found["cards"].state == BAD and found["group vpp"].do.startswith("groupadd")


def test_iommu_off_but_vfio_works_without(fake: FakeHost) -> None:
    fake.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y")
    assert looked(fake.host)["IOMMU"].state == FAIR
    fake.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N")
    fake.write("proc/cmdline", "ro quiet intel_iommu=on iommu=pt")
    found = looked(fake.host)["IOMMU"]
    assert found.state == BAD and "was asked for" in found.found and "GRUB" not in found.do


def test_huge_pages_are_wanted_where_the_cards_are(fake: FakeHost) -> None:
    fake.card("0000:81:00.0", "vfio-pci", node=1)
    fake.node(0, "0-1")
    fake.node(1, "2-3")
    fake.pages(0, 2048, 1024, 1024)
    fake.pages(1, 2048, 1024, 10)
    found = looked(fake.host)
    assert "huge pages, node 0" not in found and found["huge pages, node 1"].state == BAD
    assert next(fake.host.huge_pages()) == HugePages(0, 2048, 1024, 1024)


def test_huge_pages_of_a_host_without_numa(fake: FakeHost) -> None:
    fake.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512")
    fake.write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512")
    assert looked(fake.host)["huge pages, node 0"].state == GOOD


@pytest.mark.parametrize(
    ("driver", "port", "up", "state", "do"),
    [
        ("vfio-pci", "", False, GOOD, ""),
        ("mlx5_core", "ens1", True, GOOD, ""),
        (None, "", False, FAIR, "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0"),
        ("i40e", "ens1", False, FAIR, "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0"),
        ("i40e", "ens1", True, FAIR, "ip link set ens1 down && dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0"),
    ],
)
def test_who_holds_a_card(fake: FakeHost, driver: str | None, port: str, up: bool, state: str, do: str) -> None:
    fake.card("0000:3b:00.0", driver, port=port, up=up)
    fake.default_route("eth9")
    found = looked(fake.host)["card 0000:3b:00.0"]
    assert (found.state, found.do) == (state, do)


def test_the_card_of_the_default_route_is_a_problem_also_below_a_bond(fake: FakeHost) -> None:
    fake.card("0000:3b:00.0", "i40e", port="ens1", up=True)
    fake.card("0000:3b:00.1", "i40e", port="ens2", up=True)
    fake.write("sys/class/net/br0/flags", "0x1003")
    fake.write("sys/class/net/br0/lower_bond0/flags", "0x1003")
    fake.write("sys/class/net/bond0/lower_ens2/flags", "0x1003")
    fake.default_route("br0")
    found = looked(fake.host)
    assert found["card 0000:3b:00.0"].state == FAIR
    assert found["card 0000:3b:00.1"].state == BAD and "cut you off" in found["card 0000:3b:00.1"].meaning


def test_an_ipv6_default_route_counts_and_the_kernels_reject_route_does_not(fake: FakeHost) -> None:
    zero = "0" * 32
    fake.write(
        "proc/net/ipv6_route",
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     ens1\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo",
    )
    assert fake.host.default_ports() == {"ens1"}


def test_a_virtio_card_and_what_is_no_card(fake: FakeHost) -> None:
    fake.card("0000:00:03.0", "virtio-pci", node=-1)
    fake.write("sys/bus/pci/devices/0000:00:03.0/virtio1/net/eth0/x", "")
    fake.write("sys/class/net/eth0/flags", "0x1003")
    fake.write("sys/bus/pci/devices/0000:00:04.0/class", "0x010000")
    (card,) = fake.host.cards()
    assert (card.node, card.driver, card.ports[0].name, card.ports[0].up) == (0, "virtio-pci", "eth0", True)


def test_files_full_of_garbage_are_as_if_they_were_not_there(fake: FakeHost) -> None:
    fake.card("0000:3b:00.0", "i40e", port="ens1")
    for path in (
        "proc/net/route",
        "proc/net/ipv6_route",
        "proc/mounts",
        "proc/cmdline",
        "etc/group",
        "sys/class/net/ens1/flags",
        "sys/bus/pci/devices/0000:3b:00.0/numa_node",
        "sys/devices/system/cpu/online",
        "sys/devices/system/cpu/isolated",
        "sys/devices/system/node/node0/cpulist",
        "sys/devices/system/node/node0/hugepages/hugepages-xkB/nr_hugepages",
        "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages",
    ):
        fake.write(path, "\x00\xff garbage : : \n\t 1-")
    assert looked(fake.host)["card 0000:3b:00.0"].state == FAIR


def test_a_group_without_the_user(fake: FakeHost) -> None:
    fake.write("etc/group", "vpp:x:990:")
    assert looked(fake.host, "eve")["group vpp"].do == "usermod -aG vpp eve"
    assert looked(fake.host, "root")["group vpp"].state == GOOD


def _answers(**texts: str) -> Ask:
    def ask(words: Sequence[str]) -> str | None:
        return texts.get(words[0].replace("-", "_"))

    return ask


@pytest.mark.parametrize(
    ("text", "state", "found"),
    [
        ("vpp v24.06-release built by root on x at 2024", GOOD, "v24.06-release"),
        ("vpp v26.10-rc0~1-gabc built by root", GOOD, "v26.10-rc0~1-gabc"),
        ("vpp v23.06-release built", BAD, "v23.06-release"),
        ("something else", FAIR, "something else"),
    ],
)
def test_versions_of_vpp(text: str, state: str, found: str) -> None:
    it = vpp(_answers(vpp=text))
    assert (it.state, it.found) == (state, found)


def test_vpp_and_dpdk_may_be_missing_or_there() -> None:
    assert vpp(_answers()).state == BAD and "apt-get" in vpp(_answers()).do
    assert dpdk(_answers()).state == FAIR
    assert dpdk(_answers(pkg_config="22.11.5")).found == "22.11.5 (pkg-config)"
    listing = "\tlibrte_eal.so.23 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/librte_eal.so.23"
    assert dpdk(_answers(ldconfig=listing)).found == "ABI 23 (ldconfig)"
