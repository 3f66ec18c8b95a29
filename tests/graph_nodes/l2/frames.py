"""Frames for bridges: few addresses that meet again, any tags, ARP and neighbour discovery, cut and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.naive.nd6 import with_checksum

HOSTS = [bytes.fromhex(f"0200000000{n:02x}") for n in range(1, 6)]
GROUPS = [b"\xff" * 6, bytes.fromhex("01005e000001"), bytes.fromhex("333300000001"), bytes.fromhex("0180c2000000")]
VRRP = bytes.fromhex("00005e000107")
ODD = [bytes(6), VRRP, bytes.fromhex("02fe00000001")]
ADDRESSES4 = [bytes([10, 0, 0, n]) for n in range(1, 5)] + [bytes(4), bytes([224, 0, 0, 5])]
ADDRESSES6 = [bytes.fromhex("20010db8" + "00" * 11) + bytes([n]) for n in range(1, 5)]
ADDRESSES6 += [bytes.fromhex("fe80" + "00" * 13 + "09"), bytes(16)]

hosts = st.sampled_from(HOSTS)
sources = st.one_of(hosts, hosts, hosts, st.sampled_from(ODD + GROUPS[:1]))
destinations = st.one_of(hosts, hosts, st.sampled_from(GROUPS), st.sampled_from(ODD))
vlans = st.sampled_from([0, 1, 2, 5, 4095])


@st.composite
def tags(draw: st.DrawFn, most: int = 3) -> bytes:
    """Up to ``most`` tags of either kind, with priorities."""
    made = b""
    for _ in range(draw(st.integers(0, most))):
        made += draw(st.sampled_from([b"\x81\x00", b"\x81\x00", b"\x88\xa8"]))
        made += (draw(vlans) | draw(st.sampled_from([0, 0x6000, 0xF000]))).to_bytes(2, "big")
    return made


@st.composite
def arps(draw: st.DrawFn, sender: bytes) -> bytes:
    """ARP, usually healthy; padded or cut."""
    kinds = draw(st.sampled_from([b"\0\1\x08\0\6\4"] * 4 + [b"\0\6\x08\0\6\4", b"\0\1\x86\xdd\6\4", bytes(6)]))
    code = draw(st.sampled_from([b"\0\1", b"\0\1", b"\0\2", b"\0\3"]))
    who = draw(st.sampled_from([sender] * 5 + [HOSTS[0], VRRP, GROUPS[0]]))
    source, target = (draw(st.sampled_from(ADDRESSES4)) for _ in range(2))
    made = kinds + code + who + source + draw(hosts) + target + bytes(draw(st.sampled_from([0, 18])))
    return made[: draw(st.sampled_from([len(made)] * 6 + [27, 8, 7]))]


@st.composite
def solicitations(draw: st.DrawFn) -> bytes:
    """IPv6 with ICMPv6 in it, usually a solicitation; sizes and options that may be wrong; cut."""
    source, target = (draw(st.sampled_from(ADDRESSES6)) for _ in range(2))
    kind = draw(st.sampled_from([135] * 4 + [136, 128, 134]))
    option = draw(st.sampled_from([b"\1\1"] * 4 + [b"\2\1", b"\1\2"])) + draw(hosts)
    body = bytes([kind, 0, 0, 0, 0, 0, 0, 0]) + target + option + draw(st.sampled_from([b"", b"", bytes(8), b"\1"]))
    size = draw(st.sampled_from([len(body)] * 5 + [24, 31, 200]))
    protocol = draw(st.sampled_from([58] * 5 + [17]))
    packet = b"\x60\0\0\0" + size.to_bytes(2, "big") + bytes([protocol, 255]) + source
    packet = with_checksum(packet + bytes.fromhex("ff0200000000000000000001ff") + target[-3:] + body)
    packet += bytes(draw(st.sampled_from([0, 6])))
    return packet[: draw(st.sampled_from([len(packet)] * 5 + [71, 64, 63, 41, 40, 6]))]


@st.composite
def frames(draw: st.DrawFn, most_tags: int = 3) -> bytes:
    """Any frame with at least its two addresses and a type."""
    source = draw(sources)
    head = draw(destinations) + source + draw(tags(most_tags))
    what = draw(st.integers(0, 9))
    if what < 3:
        return head + b"\x08\x06" + draw(arps(source))
    if what < 6:
        return head + b"\x86\xdd" + draw(solicitations())
    if what < 9:
        return (
            head + draw(st.sampled_from([b"\x08\0", b"\x08\0", b"\x86\xdd", b"\0\x2e"])) + draw(st.binary(max_size=60))
        )
    return head[:12] + draw(st.binary(min_size=2, max_size=40))


def received_length(frame: bytes) -> int:
    """The header's length as ethernet-input finds it; 0: it drops the frame."""
    if frame[12:14] not in (b"\x81\x00", b"\x88\xa8"):
        return 14
    if frame[16:18] == b"\x81\x00" and len(frame) >= 22:
        return 22
    return 18 if len(frame) >= 18 else 0


received = frames().filter(received_length)
"""Frames that come to l2-input."""
