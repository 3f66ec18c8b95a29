#!/usr/bin/env python3
"""Record the example captures: real traffic of a small network, as a router's interface receives it.

Three network namespaces are made, joined by two veth pairs, and taken down again whatever happens:

    client 10.10.1.2  ----  10.10.1.1 router 10.10.2.1  ----  10.10.2.2 server
    client 10.10.100.2 (VLAN 100) ---- 10.10.100.1 router

The router namespace forwards by the kernel. tcpdump runs on its client side; of what it saw are written

    lan.pcap          the frames the router received from the client, of the whole run (classic pcap)
    lan-both.pcapng   both directions of the first part (link up, ARP, ping, HTTP, DNS), each frame flagged

The frames have the sizes and checksums they would have on a wire, since segmentation, checksum and receive
offloads of the veths are off; lengths and checksums are checked before anything is written (fragments: the
IPv4 header's). One thing differs: a veth does not pad, so an ARP request has 42 bytes, not 60.
No packet leaves the namespaces.

The ends of VLAN 100 are TAP devices, whose frames this script tags and untags, because not every kernel has
802.1Q devices. What passes over them (ARP, ping, IPv6 neighbour discovery) the kernel makes all the same.

Needs root, Linux with veth, TUN/TAP and IPv6, Python 3.11 with pyroute2 (`pip install pyroute2`), and the
Debian packages tcpdump, iperf3, dnsutils, curl, iputils-ping, ethtool. The HTTP and DNS servers are in here.

    sudo python3 examples/captures/record.py [directory]
"""

from __future__ import annotations

import argparse
import fcntl
import functools
import http.server
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, netns

CLIENT, ROUTER, SERVER = (f"vprec-{os.getpid()}-{host}" for host in ("client", "router", "server"))
CLIENT_MAC, ROUTER_IN_MAC = "02:00:00:00:01:02", "02:00:00:00:01:01"
ROUTER_OUT_MAC, SERVER_MAC = "02:00:00:00:02:01", "02:00:00:00:02:02"
CLIENT_IP, ROUTER_IN_IP = "10.10.1.2", "10.10.1.1"
ROUTER_OUT_IP, SERVER_IP = "10.10.2.1", "10.10.2.2"
VLAN, VLAN_CLIENT_IP, VLAN_ROUTER_IP = 100, "10.10.100.2", "10.10.100.1"
ROUTER_LINK_LOCAL = "fe80::ff:fe00:101"  # EUI-64 of ROUTER_IN_MAC
HTTP_PORT, DNS_PORT, IPERF_PORT = 80, 53, 5201

PROGRAMS = ("tcpdump", "iperf3", "dig", "curl", "ping", "ethtool")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}
MAX_FRAME, MAX_FILE = 1518, 400_000

# linux/if_packet.h, linux/if_tun.h
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, TP_STATUS_VLAN_VALID = 263, 8, 23, 1 << 4
AUXDATA = struct.Struct("=IIIHHHH")
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_8021Q, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x8100, 0x86DD


# ---- Namespaces and what runs in them


@contextmanager
def inside(name: str) -> Iterator[None]:
    """In this block the main thread is in the namespace; sockets and processes made here stay there."""
    netns.pushns(name)
    try:
        yield
    finally:
        netns.popns()


def run(name: str, *command: str, may_fail: bool = False) -> None:
    """Run a program in a namespace to its end, at most half a minute."""
    with inside(name):
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=30)
    if done.returncode and not may_fail:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")


def start(stack: ExitStack, name: str, *command: str, stderr: Path) -> subprocess.Popen[bytes]:
    """Start a program in a namespace; it ends with the stack."""
    with inside(name), stderr.open("wb") as log:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=log)
    stack.callback(stop, process)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def in_thread(stack: ExitStack, target: Callable[[threading.Event], None]) -> None:
    """Run `target` in a thread until the stack ends; it looks at the event it is given."""
    over = threading.Event()
    thread = threading.Thread(target=target, args=(over,), daemon=True)
    thread.start()
    stack.callback(thread.join, 5)
    stack.callback(over.set)


def sysctl(key: str, value: str) -> None:
    Path("/proc/sys/net", key).write_text(value)


# ---- The network


def make_network(stack: ExitStack) -> None:
    """Namespaces, links and addresses. The client's link is left down: its first frames shall be recorded."""
    for name in (CLIENT, ROUTER, SERVER):
        stack.callback(remove_namespace, name)
        netns.create(name)
        with inside(name):
            for interface in ("all", "default"):
                sysctl(f"ipv4/conf/{interface}/rp_filter", "0")
                sysctl(f"ipv6/conf/{interface}/disable_ipv6", "0")
            sysctl("ipv6/conf/default/addr_gen_mode", "0")
            sysctl("ipv4/ip_forward", "1" if name == ROUTER else "0")
    make_veth(CLIENT, "lan", CLIENT_MAC, "in", ROUTER_IN_MAC)
    make_veth(SERVER, "lan", SERVER_MAC, "out", ROUTER_OUT_MAC)
    set_up(ROUTER, "in", ROUTER_IN_IP)
    set_up(ROUTER, "out", ROUTER_OUT_IP)
    set_up(SERVER, "lan", SERVER_IP, gateway=ROUTER_OUT_IP)


def remove_namespace(name: str) -> None:
    with suppress(FileNotFoundError):
        netns.remove(name)


def make_veth(host: str, port: str, mac: str, router_port: str, router_mac: str) -> None:
    """A veth pair between a host and the router, without any offload."""
    with inside(ROUTER), IPRoute() as ip:
        peer = {"ifname": port, "address": mac, "net_ns_fd": host}
        ip.link("add", ifname=router_port, kind="veth", address=router_mac, peer=peer)
    for name, interface in ((host, port), (ROUTER, router_port)):
        off = [word for feature in ("tx", "sg", "tso", "gso", "gro") for word in (feature, "off")]
        run(name, "ethtool", "-K", interface, *off)


def set_up(name: str, interface: str, address: str, gateway: str = "", metric: int = 0, mac: str = "") -> None:
    with inside(name), IPRoute() as ip:
        index = ip.link_lookup(ifname=interface)[0]
        if mac:
            ip.link("set", index=index, address=mac)
        ip.addr("add", index=index, address=address, prefixlen=24)
        ip.link("set", index=index, state="up")
        if gateway:
            ip.route("add", dst="default", gateway=gateway, oif=index, priority=metric)


def forget_neighbours(name: str, interface: str) -> None:
    with inside(name), IPRoute() as ip:
        index = ip.link_lookup(ifname=interface)[0]
        for entry in ip.get_neighbours(family=socket.AF_INET, ifindex=index):
            ip.neigh("del", ifindex=index, dst=entry.get("dst"))


def make_vlan_port(stack: ExitStack, name: str, parent: str) -> None:
    """A TAP device `vlan100` whose frames go over `parent` with a tag."""
    with inside(name):
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        stack.callback(os.close, tap)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", f"vlan{VLAN}".encode(), IFF_TAP | IFF_NO_PI))
        wire = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    wire.bind((parent, ETH_P_ALL))
    in_thread(stack, functools.partial(pass_tagged, tap, wire))


def pass_tagged(tap: int, wire: socket.socket, over: threading.Event) -> None:
    tag = struct.pack("!HH", ETH_P_8021Q, VLAN)
    while not over.is_set():
        ready = select.select([tap, wire.fileno()], [], [], 0.1)[0]
        if tap in ready:
            frame = os.read(tap, 2048)
            wire.send(frame[:12] + tag + frame[12:])
        if wire.fileno() in ready:
            frame, ancillary, _, _ = wire.recvmsg(2048, socket.CMSG_SPACE(AUXDATA.size))
            for level, kind, data in ancillary:  # the kernel has taken the tag off the frame already
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, _ = AUXDATA.unpack_from(data)
                    if status & TP_STATUS_VLAN_VALID and tci & 0xFFF == VLAN:
                        with suppress(OSError):  # the device is not up yet
                            os.write(tap, frame)


# ---- The servers


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve_http(stack: ExitStack, files: Path) -> None:
    text = "".join(f"{number:6} the quick brown fox jumps over the lazy dog\n" for number in range(1, 2001))
    (files / "large.txt").write_text(text[:60_000])
    (files / "small.txt").write_text(text[:200])
    with inside(SERVER):
        handler = functools.partial(QuietHandler, directory=str(files))
        server = http.server.ThreadingHTTPServer((SERVER_IP, HTTP_PORT), handler)
    stack.callback(server.server_close)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    stack.callback(server.shutdown)


def serve_dns(stack: ExitStack) -> None:
    with inside(SERVER):
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind((SERVER_IP, DNS_PORT))
    server.settimeout(0.1)
    in_thread(stack, functools.partial(answer_dns, server))


def answer_dns(server: socket.socket, over: threading.Event) -> None:
    """Every question for an A record gets the server's address; any other an empty answer."""
    while not over.is_set():
        with suppress(TimeoutError):
            query, asker = server.recvfrom(512)
            end = 12
            while query[end]:
                end += 1 + query[end]
            question = query[12 : end + 5]
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 300, 4) + socket.inet_aton(SERVER_IP)
            answers = [record] if question[-4:-2] == b"\0\1" else []
            header = query[:2] + struct.pack("!5H", 0x8580, 1, len(answers), 0, 0)
            server.sendto(header + question + b"".join(answers), asker)


def serve_iperf(stack: ExitStack, log: Path) -> None:
    start(stack, SERVER, "iperf3", "-s", "-B", SERVER_IP, "-p", str(IPERF_PORT), stderr=log)
    until(lambda: listens(SERVER, IPERF_PORT), "iperf3 to listen")


def listens(name: str, port: int) -> bool:
    """Asked of the kernel, since iperf3 would take a trial connection for a test."""
    with inside(name):
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


# ---- The traffic


def first_part() -> None:
    """Link up with IPv6 autoconfiguration, ARP, ping, HTTP, DNS."""
    set_up(CLIENT, "lan", CLIENT_IP, gateway=ROUTER_IN_IP)
    time.sleep(2)  # duplicate address detection, multicast reports, router solicitation
    ping(SERVER_IP, count=10)
    ping(ROUTER_IN_IP, count=5)
    ping(ROUTER_OUT_IP, count=2)
    ping(SERVER_IP, "-s", "4000", count=4)
    ping(ROUTER_IN_IP, "-s", "4000", count=2)
    ping(SERVER_IP, "-s", "1472", "-M", "do", count=2)  # just fits
    ping(SERVER_IP, "-t", "1", count=2, may_fail=True)  # time exceeded
    ping(SERVER_IP, "-t", "2", count=2)
    fetch("large.txt")
    for _ in range(8):
        fetch("small.txt")
    for number in range(24):
        dig(f"host{number}.example.test", "AAAA" if number % 4 == 3 else "A")


def second_part() -> None:
    """ARP anew in both directions, VLAN 100, IPv6, iperf3."""
    forget_neighbours(ROUTER, "in")
    ping(CLIENT_IP, count=2, sender=ROUTER)  # the client replies, to ARP first
    forget_neighbours(CLIENT, "lan")
    ping(SERVER_IP, count=2)
    ping(f"{ROUTER_LINK_LOCAL}%lan", "-6", count=6)
    ping(VLAN_ROUTER_IP, "-I", f"vlan{VLAN}", count=5)
    forget_neighbours(ROUTER, f"vlan{VLAN}")
    ping(VLAN_CLIENT_IP, count=2, sender=ROUTER)
    ping(SERVER_IP, "-I", f"vlan{VLAN}", count=5)
    ping(SERVER_IP, "-I", f"vlan{VLAN}", "-s", "2000", count=2)
    ping(SERVER_IP, "-I", f"vlan{VLAN}", "-t", "1", count=1, may_fail=True)
    iperf("-n", "100K", "-l", "8K", "-b", "2M")
    iperf("-n", "60K", "-l", "4K", "-b", "1M", "-M", "536")
    iperf("-n", "30K", "-l", "2K", "-b", "1M", "-P", "3")
    iperf("-u", "-n", "13000", "-l", "64", "-b", "100K")
    iperf("-u", "-n", "30000", "-l", "1400", "-b", "400K")
    iperf("-u", "-n", "24000", "-l", "3000", "-b", "400K")  # fragments


def ping(address: str, *options: str, count: int, may_fail: bool = False, sender: str = CLIENT) -> None:
    command = ("ping", "-n", "-q", "-i", "0.1", "-W", "1", "-c", str(count))
    run(sender, *command, *options, address, may_fail=may_fail)


def fetch(file: str) -> None:
    url = f"http://{SERVER_IP}:{HTTP_PORT}/{file}"
    run(CLIENT, "curl", "-q", "--noproxy", "*", "-sSf", "-m", "10", "-o", "/dev/null", url)


def dig(name: str, kind: str) -> None:
    run(CLIENT, "dig", "-r", f"@{SERVER_IP}", "-p", str(DNS_PORT), "+tries=1", "+time=2", name, kind)


def iperf(*options: str) -> None:
    run(CLIENT, "iperf3", "-c", SERVER_IP, "-p", str(IPERF_PORT), *options)


# ---- The files


@dataclass(frozen=True)
class Packet:
    time_us: int
    frame: bytes

    @property
    def from_client(self) -> bool:
        return self.frame[6:12] == bytes.fromhex(CLIENT_MAC.replace(":", ""))


def read_pcap(path: Path) -> list[Packet]:
    data, at = path.read_bytes(), 24
    if data[:4] != b"\xd4\xc3\xb2\xa1" or data[20:24] != b"\1\0\0\0":
        raise ValueError("tcpdump did not write a little-endian Ethernet pcap")
    packets = []
    while at < len(data):
        seconds, microseconds, captured, length = struct.unpack_from("<4I", data, at)
        if captured != length:
            raise ValueError("a frame was cut")
        packets.append(Packet(seconds * 1_000_000 + microseconds, data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return packets


def pcap(packets: list[Packet]) -> bytes:
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
    for packet in packets:
        size = len(packet.frame)
        out += struct.pack("<4I", *divmod(packet.time_us, 1_000_000), size, size) + packet.frame
    return bytes(out)


def pcapng(packets: list[Packet]) -> bytes:
    """One section, one interface, one enhanced packet block a frame, whose flags say in or out."""

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    def option(code: int, value: bytes) -> bytes:
        return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)

    end = option(0, b"")
    out = bytearray(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
    out += block(1, struct.pack("<HHI", 1, 0, 262_144) + option(2, b"in") + option(9, b"\6") + end)
    for packet in packets:
        size = len(packet.frame)
        head = struct.pack("<5I", 0, packet.time_us >> 32, packet.time_us & 0xFFFFFFFF, size, size)
        direction = option(2, struct.pack("<I", 1 if packet.from_client else 2))
        out += block(6, head + packet.frame + bytes(-size % 4) + direction + end)
    return bytes(out)


def internet_sum(data: bytes) -> int:
    """0xffff if `data`, which holds its checksum, is right."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def classify(frame: bytes) -> str:
    """What kind of frame this is; ValueError if its length or a checksum is wrong."""
    if len(frame) > MAX_FRAME:
        raise ValueError(f"a frame of {len(frame)} bytes: an offload is on")
    (ethertype,) = struct.unpack_from("!H", frame, 12)
    if ethertype == ETH_P_8021Q:
        return "802.1Q " + classify(frame[:12] + frame[16:])
    packet = frame[14:]
    if ethertype == ETH_P_ARP:
        return "ARP request" if packet[7] == 1 else "ARP reply"
    if ethertype == ETH_P_IP:
        return "IPv4 " + classify_ip4(packet)
    if ethertype == ETH_P_IPV6:
        protocol, payload, addresses = packet[6], packet[40:], packet[8:40]
        if protocol == 0:  # hop-by-hop options, of multicast reports
            protocol, payload = payload[0], payload[8 + 8 * payload[1] :]
        pseudo = addresses + struct.pack("!II", len(payload), protocol)
        check(internet_sum(pseudo + payload) == 0xFFFF, "ICMPv6")
        return {128: "IPv6 echo request", 129: "IPv6 echo reply"}.get(payload[0], "IPv6 ND, RS and MLD")
    raise ValueError(f"ethertype {ethertype:#06x}")


def classify_ip4(packet: bytes) -> str:
    header_size, protocol = 4 * (packet[0] & 15), packet[9]
    (length, fragment), payload = struct.unpack("!H2xH", packet[2:8]), packet[header_size:]
    check(length == len(packet), "IPv4 length")
    check(internet_sum(packet[:header_size]) == 0xFFFF, "IPv4 header")
    name = {1: "ICMP", 6: "TCP", 17: "UDP"}[protocol]
    if fragment & 0x1FFF:
        return f"{name} fragment, not first"
    if fragment & 0x2000:
        return f"{name} fragment, first"
    pseudo = packet[12:20] + struct.pack("!HH", protocol, len(payload)) if protocol != 1 else b""
    check(internet_sum(pseudo + payload) == 0xFFFF, name)
    if protocol == 1:
        kind = {0: "echo reply", 3: "unreachable", 8: "echo request", 11: "time exceeded"}[payload[0]]
        return f"ICMP {kind}" + (", TTL 1" if packet[8] == 1 else "")
    service = {HTTP_PORT: "HTTP", DNS_PORT: "DNS", IPERF_PORT: "iperf3"}
    return f"{name} {next(service[port] for port in struct.unpack_from('!HH', payload) if port in service)}"


def check(right: bool, what: str) -> None:
    if not right:
        raise ValueError(f"{what} is wrong in a recorded frame: an offload is on")


def report(path: Path, packets: list[Packet]) -> None:
    kinds = Counter(classify(packet.frame) for packet in packets)
    seconds = (packets[-1].time_us - packets[0].time_us) / 1e6
    print(f"{path.name}: {path.stat().st_size} bytes, {len(packets)} frames, {seconds:.1f} s")
    for kind, count in sorted(kinds.items()):
        print(f"  {count:5}  {kind}")


# ---- The run


def start_recording(stack: ExitStack, directory: Path) -> subprocess.Popen[bytes]:
    log, raw = directory / "tcpdump.log", directory / "raw.pcap"
    options = ("-n", "-p", "-U", "--immediate-mode", "-Z", "root", "-B", "4096", "-s", "0")
    tcpdump = start(stack, ROUTER, "tcpdump", *options, "-i", "in", "-w", str(raw), stderr=log)
    until(lambda: tcpdump.poll() is not None or b"listening on" in log.read_bytes(), "tcpdump to listen")
    return tcpdump


def finish_recording(tcpdump: subprocess.Popen[bytes], directory: Path) -> list[Packet]:
    stop(tcpdump)
    log = (directory / "tcpdump.log").read_text()
    if tcpdump.returncode or "\n0 packets dropped by kernel" not in log:
        raise RuntimeError(f"tcpdump:\n{log}")
    return read_pcap(directory / "raw.pcap")


def record(output: Path) -> None:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vprec-")))
        make_network(stack)
        serve_http(stack, directory)
        serve_dns(stack)
        serve_iperf(stack, directory / "iperf3.log")
        tcpdump = start_recording(stack, directory)
        first_part()
        time.sleep(0.2)
        part_end_us = time.time_ns() // 1000
        for name, parent in ((CLIENT, "lan"), (ROUTER, "in")):
            make_vlan_port(stack, name, parent)
        set_up(ROUTER, f"vlan{VLAN}", VLAN_ROUTER_IP, mac=ROUTER_IN_MAC)
        set_up(CLIENT, f"vlan{VLAN}", VLAN_CLIENT_IP, VLAN_ROUTER_IP, metric=200, mac=CLIENT_MAC)
        second_part()
        time.sleep(0.5)
        packets = finish_recording(tcpdump, directory)
    files = {
        "lan.pcap": (pcap, [packet for packet in packets if packet.from_client]),
        "lan-both.pcapng": (pcapng, [packet for packet in packets if packet.time_us < part_end_us]),
    }
    for packet in packets:
        classify(packet.frame)
    for name, (encode, chosen) in files.items():
        data = encode(chosen)
        if len(data) > MAX_FILE:
            raise ValueError(f"{name} would have {len(data)} bytes")
        (output / name).write_bytes(data)
        report(output / name, chosen)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path(__file__).parent
    parser.add_argument("directory", nargs="?", type=Path, default=here, help="where the files go")
    directory: Path = parser.parse_args().directory
    if os.geteuid() != 0:
        return complain("must be root: it makes network namespaces")
    if missing := [program for program in PROGRAMS if not shutil.which(program, path=ENVIRONMENT["PATH"])]:
        return complain(f"not installed: {', '.join(missing)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # unwinds, so that all is taken down
    record(directory)
    return 0


def complain(text: str) -> int:
    print(f"record.py: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
