"""MAC addresses that follow from a node's id or a pod's container, so that nobody has to ask for them.

All but `host_end` are those of Contiv-VPP (ipnet).
"""

from __future__ import annotations

_FNV_BASIS, _FNV_PRIME = 0x811C9DC5, 0x01000193
_MASK = 0xFFFFFFFF


def _text(head: bytes, tail: bytes) -> str:
    return (head + tail).hex(":")


def host_link(node: int) -> str:
    """VPP's end of the link to the node's host."""
    return _text(b"\x34\x3c", node.to_bytes(4, "big"))


def host_end(node: int) -> str:
    """The host's end of that link. Contiv-VPP lets Linux choose one; a simulated host has to be told."""
    return _text(b"\x36\x3c", node.to_bytes(4, "big"))


def bvi(node: int) -> str:
    """The node's interface in the overlay."""
    return _text(b"\x12\x2b", node.to_bytes(4, "big"))


def pod_end(container: str, interface: str = "") -> str:
    """A pod's end of its link. ``interface``: the name of a custom interface, empty for eth0."""
    return _text(b"\x02\xfe", _hash(container, interface).to_bytes(4, "little"))


def pod_link(container: str, interface: str = "") -> str:
    """VPP's end of that link: the same bits the other way round, so that the two ends differ."""
    return _text(b"\x02\xfe", (_hash(container, interface) ^ _MASK).to_bytes(4, "little"))


def _hash(container: str, interface: str) -> int:
    """FNV-1a of 32 bits."""
    value = _FNV_BASIS
    for byte in f"{container}/{interface}".encode():
        value = (value ^ byte) * _FNV_PRIME & _MASK
    return value
