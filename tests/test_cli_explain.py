"""`vectorplane explain-packet` as its users meet it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.replaying import CONFIGURATIONS
from tests.test_cli import EXAMPLES, LAN, Done, run
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.writer import CaptureWriter

FIREWALL = EXAMPLES / "firewall.yaml"
WEB = "tcp 10.10.1.2:40000 -> 10.10.2.2:80"
SSH = "tcp 10.10.1.2:40000 -> 10.10.2.2:22"
ANSWER = "tcp 10.10.2.2:80 -> 10.10.1.2:40000 flags SA"


def explain(*words: object) -> Done:
    return run("explain-packet", *words)


def told(*words: object) -> dict[str, Any]:
    done = explain(*words, "--json")
    assert done.returncode in (0, 1), done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_dropped() -> None:
    done = explain("-c", FIREWALL, "-i", "in", "--flow", SSH)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "in receives 54 bytes" and lines[-1] == "Dropped: acl-plugin-in-ip4-fa: ACL deny packets"
    assert re.search(r"acl \d \(logged-in\) rule 0: source 10.10.1.2 not in 10.10.1.9/32 \(permit", done.stdout)
    assert re.search(r"acl \d \(offered\) rule 0: destination port 22 is not 80 \(permit\+reflect tcp any", done.stdout)
    assert "none of the rules is met (5): denied" in done.stdout


def test_sent() -> None:
    done = explain("-c", FIREWALL, "--interface", "in", "--flow", WEB)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sent by out, 54 bytes" in done.stdout and "ip4 ttl 64 -> 63" in done.stdout
    assert "TCP: 40000 -> 80" not in done.stdout
    assert "TCP: 40000 -> 80" in explain("-c", FIREWALL, "-i", "in", "--flow", WEB, "--trace").stdout


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A capture of the connection being opened, at second 100."""
    frame = bytes.fromhex(told("-c", FIREWALL, "-i", "in", "--flow", WEB)["received"]["hex"])
    path = tmp_path / "opened.pcap"
    with CaptureWriter(path) as writer:
        writer.write(100_000_000_000, frame)
        writer.write(101_000_000_000, frame)
    return path


def test_after_what_was_played(opened: Path) -> None:
    assert told("-c", FIREWALL, "-i", "out", "--flow", ANSWER)["verdict"] == "dropped"
    answer = told("-c", FIREWALL, "-i", "out", "--flow", ANSWER, "--before", f"in={opened}")
    assert answer["verdict"] == "sent" and answer["received"]["time"] == 101_000_000_000
    (step,) = [s for s in answer["steps"] if s["node"] == "acl-plugin-in-ip4-fa"]
    assert step["facts"]["action"] == "session" and step["facts"]["session"]["age"] == 0
    words = ("-c", FIREWALL, "-i", "out", "--flow", ANSWER, "--before", f"in={opened}", "--wait")
    answer = told(*words, "59.5")
    assert answer["verdict"] == "sent" and answer["received"]["time"] == 160_500_000_000
    answer = told(*words, "60.5")
    assert answer["verdict"] == "dropped", "tcp_transient is 60 s"


def test_a_packet_of_a_capture(opened: Path) -> None:
    facts = []
    for words in (["--number", "2"], ["--number", "2", "--play"], []):
        answer = told("-c", FIREWALL, "-i", "in", "--capture", opened, *words)
        (step,) = [s for s in answer["steps"] if s["node"] == "acl-plugin-in-ip4-fa"]
        facts.append((step["facts"]["action"], answer["received"]["time"] // 10**9))
    assert facts == [("permit+reflect", 101), ("session", 101), ("permit+reflect", 100)]


def test_packets_of_the_real_capture() -> None:
    """Without a configuration; what replay drops is dropped."""
    answer = told("-i", "in", "--capture", LAN, "--number", "5", "--play")
    with CaptureReader(LAN) as reader:
        window = reader.next_window()
        assert window is not None and answer["received"]["time"] == int(window.records["time"][4])
    assert answer["verdict"] == "sent" and answer["packets"][0]["outcome"]["interface"] == "out"


def test_raw_packets_get_a_header(tmp_path: Path) -> None:
    packet = bytes.fromhex(told("-c", FIREWALL, "-i", "in", "--flow", WEB)["received"]["hex"])[14:]
    path = tmp_path / "raw.pcap"
    with CaptureWriter(path, linktype=101) as writer:
        for n in range(3):
            writer.write(n, packet)
    answer = told("-c", FIREWALL, "-i", "in", "--capture", path, "--number", "3", "--play")
    assert answer["verdict"] == "sent" and answer["received"]["hex"].startswith("0200000001010000000000000800")
    (step,) = [s for s in answer["steps"] if s["node"] == "acl-plugin-in-ip4-fa"]
    assert step["facts"]["action"] == "session"


def test_hexadecimal_and_a_mac() -> None:
    frame = told("-c", FIREWALL, "-i", "in", "--flow", WEB)["received"]["hex"]
    done = explain("-c", FIREWALL, "-i", "in", "--hex", frame)
    assert done.returncode == 0
    done = explain("-c", FIREWALL, "-i", "in", "--hex", frame, "--mac", "02:00:00:00:00:99")
    assert done.returncode == 1 and "l3 mac mismatch" in done.stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-i", "in"], "expected one of --hex, --capture and --flow, got none"),
        (["-i", "in", "--hex", "00", "--flow", "x"], "got --hex and --flow"),
        (["-i", "in", "--hex", "0x0g"], "hex: 'g' is no hexadecimal digit"),
        (["-i", "no", "--hex", "00"], "there is no interface no; known: in, in.0, out"),
        (["-i", "in", "--flow", "tcp a:1 -> 1.2.3.4:5"], "'a' is not an IP address"),
        (["-i", "in", "--capture", LAN, "--number", "9999"], "there is no packet 9999: it has 785"),
        (["-i", "in", "--capture", "/none.pcap"], "/none.pcap"),
        (["-i", "in", "--hex", "00", "--number", "3"], "--number and --play go with --capture"),
        (["-i", "in", "--hex", "00", "--before", "none=/x"], "there is no interface none that could receive"),
        (["-i", "in", "--hex", "00", "--before", "/none.pcap"], "/none.pcap"),
        (["-i", "in", "--hex", "00", "--inject"], "--inject is for a running instance"),
        (["-i", "in", "--hex", "00", "-s", "x", "-c", FIREWALL], "give one of them"),
        (["-i", "in", "--hex", "00", "-s", "x", "--wait", "1"], "a running instance is as it is"),
        (["-i", "in", "--hex", "00", "-s", "/none.sock"], "no instance answers"),
        (["-i", "in", "--hex", "00", "-c", "/none.yaml"], "/none.yaml"),
    ],
)
def test_wrongly_used(words: list[object], error: str) -> None:
    done = explain(*words)
    assert done.returncode == 2 and error in done.stderr and done.stdout == ""


def test_mistakes_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("interfaces:\n  in: {mtu: x}\n")
    done = explain("-c", path, "-i", "in", "--hex", "00")
    assert done.returncode == 2 and f"{path}:2: interfaces.in.mtu: expected an integer" in done.stderr


@pytest.mark.parametrize("config", CONFIGURATIONS, ids=lambda p: p.stem)
def test_examples(config: Path) -> None:
    """Something is told for every example; and it agrees with what the nodes do."""
    from vectorplane.control.config import load_config

    name = next(iter(load_config(config).interfaces))
    answer = told("-c", config, "-i", name, "--flow", "udp 10.10.1.2:1 -> 10.10.2.2:53")
    assert answer["steps"] and answer["disagreements"] == []
