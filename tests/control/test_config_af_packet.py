"""AF_PACKET devices in a configuration: what is refused, and the item that they become."""

from __future__ import annotations

import pytest

from vectorplane.backends.items import Interface
from vectorplane.control.config import parse_config
from vectorplane.control.config_engine import refuse_what_a_running_engine_cannot
from vectorplane.control.config_error import ConfigError
from vectorplane.control.yaml_source import items_of


@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("af_packet", {}),
        ("{type: af_packet, host: eth1}", {"host_name": "eth1"}),
        (
            "{type: af_packet, host: {name: eth1, namespace: lab}, queues: 2, qdisc_bypass: false}",
            {"host_name": "eth1", "host_namespace": "lab", "queues": 2, "qdisc_bypass": False},
        ),
    ],
)
def test_the_item(device: str, options: dict[str, object]) -> None:
    """What is at its default is not in it."""
    config = parse_config(f"interfaces:\n  host-eth0: {{device: {device}}}\n".encode(), "hosts.yaml", ".")
    refuse_what_a_running_engine_cannot(config, "hosts.yaml")
    (item,) = (i for i, _ in items_of(config) if isinstance(i, Interface))
    assert item.device == "af_packet" and dict(item.options) == options


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("{type: af_packet, host: a-name-too-long-for-linux}", r"device.host.*a-name-too-long-for-linux"),
        ("{type: af_packet, host: {colour: red}}", r"device.host.colour: unknown field"),
        ("{type: af_packet, queues: 65}", r"device.queues"),
        ("{type: af_packet, gso: true, checksum_offload: false}", r"device.gso: needs checksum_offload: true"),
        ("{type: af_packet, host: eth9}", r"device.host: eth9 is already interfaces.one.device in line 2"),
        ("{type: af_paket}", r"device.*did you mean af_packet"),
    ],
)
def test_refused(device: str, message: str) -> None:
    """With line and field."""
    other = "{type: af_packet, host: eth9}" if "eth9" in device else "pg"
    text = f"interfaces:\n  one: {{device: {device}}}\n  other: {{device: {other}}}\n"
    with pytest.raises(ConfigError, match=message):
        parse_config(text.encode(), "hosts.yaml", ".")


def test_a_name_that_linux_does_not_take() -> None:
    """The host's interface is named as ours, unless it is told otherwise."""
    text = "interfaces:\n  GigabitEthernet0/0/0: {device: af_packet}\n"
    with pytest.raises(ConfigError, match="no name that an interface of Linux can have"):
        parse_config(text.encode(), "hosts.yaml", ".")
