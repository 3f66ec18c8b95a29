"""memif in a configuration: what is refused, and the item that it becomes."""

from __future__ import annotations

import pytest

from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.backends.items import Interface
from vectorplane.control.apply import apply
from vectorplane.control.config import parse_config
from vectorplane.control.config_error import ConfigError
from vectorplane.control.yaml_source import items_of

MEMIF = """
interfaces:
  one:
    device: {type: memif, socket: run/m.sock, id: 3, role: client, secret: s, tx_queues: 2, ring_size: 256}
  two:
    device: {type: memif, socket: "abstract:x"}
"""


def test_the_item_and_the_device() -> None:
    """What is at its default is not in it; the socket lies beside the configuration."""
    config = parse_config(MEMIF.encode(), "m.yaml", "/lab")
    one, two = (i for i, _ in items_of(config, "/lab") if isinstance(i, Interface))
    wanted = {"socket": "/lab/run/m.sock", "id": 3, "role": "client", "secret": "s", "tx_queues": 2, "ring_size": 256}
    assert (one.device, dict(one.options)) == ("memif", wanted)
    assert dict(two.options) == {"socket": "abstract:x"}
    device = DeviceMaker()(one)
    assert isinstance(device, MemifDevice) and not device.server
    assert (device.socket, device.id, device.tx_queues, device.ring_size) == ("/lab/run/m.sock", 3, 2, 256)


def test_memif_has_real_time() -> None:
    """A replay does not take it."""
    config = parse_config(MEMIF.encode(), "m.yaml", ".")
    with pytest.raises(ConfigError, match=r"m.yaml:\d+: .*memif needs real time: use `vectorplane run`"):
        apply(config, Engine(), lambda name, _: MemifDevice("abstract:y"), "m.yaml")


@pytest.mark.parametrize(
    ("one", "two", "problem"),
    [
        ("socket: a, ring_size: 100", "socket: b", "one.device.ring_size: should be a power of two"),
        ("id: 1", "socket: b", "one.device.socket"),
        ("socket: a, secret: 123456789012345678901234", "socket: b", "one.device.secret"),
        ("socket: a, mode: ip", "socket: b", "one.device.mode"),
        ("socket: a", "socket: a", "two.device.id: 0 at a is already"),
        ("socket: a", "socket: a, id: 1, role: client", "two.device.role: a has a server already"),
    ],
)
def test_what_is_refused(one: str, two: str, problem: str) -> None:
    """Each with its field."""
    text = f"interfaces:\n  one: {{device: {{type: memif, {one}}}}}\n  two: {{device: {{type: memif, {two}}}}}\n"
    with pytest.raises(ConfigError, match=problem):
        parse_config(text.encode(), "m.yaml", ".")
