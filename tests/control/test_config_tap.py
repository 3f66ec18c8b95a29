"""Taps in a configuration: what is refused, and the item that it becomes."""

from __future__ import annotations

import pytest

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.tap.device import TapDevice
from vectorplane.backends.engine.tap.host_link import HostLink
from vectorplane.backends.items import Interface, SoftwareGso
from vectorplane.control.apply import apply
from vectorplane.control.config import parse_config
from vectorplane.control.config_engine import refuse_what_a_running_engine_cannot
from vectorplane.control.config_error import ConfigError
from vectorplane.control.yaml_source import items_of

TAP = """
interfaces:
  one:
    device:
      type: tap
      host:
        {name: eth0, namespace: lab, mac: "02:00:00:00:00:01", mtu: 1400, addresses: 10.0.0.2/24, gateways: 10.0.0.1}
"""


def test_the_item() -> None:
    """What is at its default is not in it."""
    config = parse_config(TAP.encode(), "taps.yaml", ".")
    (item,) = (i for i, _ in items_of(config) if isinstance(i, Interface))
    assert item.device == "tap"
    assert dict(item.options) == {
        "host_name": "eth0",
        "host_namespace": "lab",
        "host_mac": "02:00:00:00:00:01",
        "host_mtu": 1400,
        "host_addresses": ("10.0.0.2/24",),
        "host_gateways": ("10.0.0.1",),
    }


def test_a_tap_has_real_time() -> None:
    """A running engine takes it, a replay does not."""
    config = parse_config(TAP.encode(), "taps.yaml", ".")
    refuse_what_a_running_engine_cannot(config, "taps.yaml")
    with pytest.raises(ConfigError, match=r"taps.yaml:\d+: .*a tap needs real time: use `vectorplane run`"):
        apply(config, Engine(), lambda name, _: TapDevice(HostLink(name)), "taps.yaml")


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("{type: tap, host: {name: a-name-too-long-for-linux}}", r"device.host.name: .*a-name-too-long-for-linux"),
        ("{type: tap, host: {addresses: 10.0.0.2}}", r"device.host.addresses.*prefix length"),
        ("{type: tap, host: {mac: 01:00:5e:00:00:01}}", r"device.host.mac"),
        ("{type: tap, queues: 65}", r"device.queues"),
        ("{type: tap, host: {colour: red}}", r"device.host.colour: unknown field"),
        (
            "{type: tap, gro: true}",
            r"device.gro: needs gso: true",
        ),
    ],
)
def test_refused(device: str, message: str) -> None:
    """With line and field."""
    text = f"interfaces:\n  one: {{device: {device}}}\n  other: {{device: pg}}\n"
    with pytest.raises(ConfigError, match=message):
        parse_config(text.encode(), "taps.yaml", ".")


def test_what_a_tap_brings_uncut_is_cut_before_it_leaves_elsewhere() -> None:
    """Not for the router itself, nor for a tap that takes it uncut, but with tags it does not."""
    text = """
interfaces:
  fast: {device: {type: tap, gso: true}, sub_interfaces: {5: {}}}
  slow: {device: tap}
  out: {device: pg}
  lo: {device: loopback}
"""
    found = items_of(parse_config(text.encode(), "taps.yaml", "."))
    assert {i.interface for i, _ in found if isinstance(i, SoftwareGso)} == {"fast.5", "slow", "out"}
    found = items_of(parse_config(text.replace("gso: true", "queues: 2").encode(), "taps.yaml", "."))
    assert not any(isinstance(i, SoftwareGso) for i, _ in found)


def test_a_name_that_linux_does_not_take() -> None:
    """The host's end is named as the interface, unless it is told otherwise."""
    text = "interfaces:\n  GigabitEthernet0/0/0: {device: tap}\n"
    with pytest.raises(ConfigError, match="no name that an interface of Linux can have"):
        parse_config(text.encode(), "taps.yaml", ".")
