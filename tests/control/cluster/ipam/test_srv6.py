"""Segment identifiers: Contiv-VPP's figures, and bit by bit."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.srv6 import Srv6Settings, chain_address, sid, sid_of

IP = IPv6Address("1111:2222::1")


def test_figure() -> None:
    assert str(sid(IPv6Network("9300::/16"), IP)) == "9300:2222::1"


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("service_policy", "8fff"),
        ("service_pod_localsid", "9300"),
        ("service_host_localsid", "9300"),
        ("service_node_localsid", "9000"),
        ("node_to_node_pod_localsid", "9501"),
        ("node_to_node_host_localsid", "9500"),
        ("node_to_node_pod_policy", "8501"),
        ("node_to_node_host_policy", "8500"),
        ("sfc_policy", "8eee"),
        ("sfc_service_function", "9600"),
        ("sfc_end", "9310"),
    ],
)
def test_defaults(kind: str, start: str) -> None:
    assert str(sid_of(Srv6Settings(), kind, IP)) == f"{start}:2222::1"


def test_another_prefix() -> None:
    settings = Srv6Settings.model_validate({"sfc_end": "fc00:1:2::/48"})
    assert str(sid_of(settings, "sfc_end", IPv6Address("1:2:3:4::5"))) == "fc00:1:2:4::5"
    with pytest.raises(IpamError, match="srv6: no kind of identifier is called 'end'"):
        sid_of(settings, "end", IP)


@given(st.integers(0, 128), st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 128) - 1))
def test_bits(length: int, start: int, address: int) -> None:
    prefix = IPv6Network((start, length), strict=False)
    bits = f"{int(prefix.network_address):0128b}"[:length] + f"{address:0128b}"[length:]
    assert int(sid(prefix, IPv6Address(address))) == int(bits, 2)


def test_chain() -> None:
    assert chain_address("web").packed == hashlib.sha256(b"web").digest()[:16]
