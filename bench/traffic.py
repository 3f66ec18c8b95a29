"""Packets for benchmarks, made with numpy: many at once, checksums right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def udp_frames(
    destinations: npt.NDArray[np.int64],
    *,
    dst_mac: bytes,
    size: int = 64,
    source: int | npt.NDArray[np.int64] = 0x01010101,
) -> list[bytes]:
    """One Ethernet + IPv4 + UDP frame of ``size`` bytes (no FCS) for each destination address (host order).

    Source ports differ from frame to frame; UDP checksums are 0 (none, RFC 768).
    """
    n = len(destinations)
    frames = np.zeros((n, size), np.uint8)
    frames[:, 0:6] = np.frombuffer(dst_mac, np.uint8)
    frames[:, 6:12] = np.frombuffer(bytes.fromhex("020000000002"), np.uint8)
    words = frames[:, 12:].view(">u2")
    words[:, 0] = 0x0800
    words[:, 1] = 0x4500
    words[:, 2] = size - 14
    words[:, 3] = np.arange(n) & 0xFFFF
    words[:, 5] = 64 << 8 | 17
    words[:, 7], words[:, 8] = source >> 16, source & 0xFFFF
    words[:, 9], words[:, 10] = destinations >> 16, destinations & 0xFFFF
    words[:, 11] = 1024 + np.arange(n) % 60000
    words[:, 12] = 53
    words[:, 13] = size - 34
    total = words[:, 1:11].astype(np.int64).sum(axis=1)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    words[:, 6] = ~total & 0xFFFF
    return [f.tobytes() for f in frames]


def ethernet_frames(
    destinations: npt.NDArray[np.int64], sources: npt.NDArray[np.int64], *, size: int = 64
) -> list[bytes]:
    """One Ethernet + IPv4 + UDP frame of ``size`` bytes (no FCS) for each pair of MAC addresses (as numbers)."""
    n = len(destinations)
    made = udp_frames(np.full(n, 0x0A090909), dst_mac=bytes(6), size=size)
    frames = np.frombuffer(b"".join(made), np.uint8).reshape(n, size).copy()
    for at, macs in ((0, destinations), (6, sources)):
        frames[:, at : at + 6] = macs.astype(">i8").view(np.uint8).reshape(n, 8)[:, 2:]
    return [f.tobytes() for f in frames]


def vxlan_frames(
    inner: list[bytes],
    sources: npt.NDArray[np.int64],
    destination: int,
    vnis: npt.NDArray[np.int64],
    *,
    dst_mac: bytes,
) -> list[bytes]:
    """These frames, all of one size, in VXLAN (RFC 7348), each from its source address (host order) with its VNI."""
    size = 50 + len(inner[0])
    outer = udp_frames(np.full(len(inner), destination), dst_mac=dst_mac, size=size)
    frames = np.frombuffer(b"".join(outer), np.uint8).reshape(len(inner), size).copy()
    words = frames[:, :50].reshape(len(inner), 50)
    for at, numbers in ((26, sources), (46, vnis << 8), (42, np.full(len(inner), 0x08000000))):
        words[:, at : at + 4] = numbers.astype(">i8").view(np.uint8).reshape(len(inner), 8)[:, 4:]
    words[:, 36:38] = np.frombuffer((4789).to_bytes(2, "big"), np.uint8)
    words[:, 24:26] = 0
    total = words[:, 14:34].reshape(len(inner), 10, 2).astype(np.int64) @ np.array([256, 1])
    total = total.sum(axis=1)
    total = (total & 0xFFFF) + (total >> 16)
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    words[:, 24], words[:, 25] = total >> 8, total & 0xFF
    frames[:, 50:] = np.frombuffer(b"".join(inner), np.uint8).reshape(len(inner), size - 50)
    return [f.tobytes() for f in frames]


def route_mix(count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Prefixes (host order) and lengths of ``count`` distinct routes, mixed as a full Internet table roughly is.

    2 % /8 to /15, 8 % /16 to /19, 25 % /20 to /22, 60 % /23 and /24, 5 % /25 to /32, within 1.0.0.0 to 223.255.255.255.
    """
    rng = np.random.default_rng(seed)
    shares = ((0.02, 8, 15), (0.08, 16, 19), (0.25, 20, 22), (0.60, 23, 24), (0.05, 25, 32))
    seen: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    while len(seen) < count:
        parts = []
        for share, low, high in shares:
            n = int(count * share * 1.1) + 16
            length = rng.integers(low, high + 1, n)
            prefix = rng.integers(0x01000000, 0xE0000000, n) & (-1 << (32 - length))
            parts.append(prefix << 8 | length)
        seen = np.unique(np.concatenate([seen, *parts]))
    keys = rng.permutation(seen)[:count]
    return keys >> 8, keys & 0xFF
