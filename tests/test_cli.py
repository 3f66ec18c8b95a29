"""The command line as its users meet it: what it prints, and with which status it ends."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from vectorplane.cli import main
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.writer import CaptureWriter

TOP = Path(__file__).parent.parent
EXAMPLES = TOP / "examples"
LAN = EXAMPLES / "captures" / "lan.pcap"


Done = subprocess.CompletedProcess[str]


def warm(errors: str) -> str:
    """Without the line that says that kernels are being compiled: the cache may be cold."""
    return "".join(x for x in errors.splitlines(keepends=True) if not x.startswith("vectorplane: compiling "))


def process(*arguments: object, stdin: bytes | None = None) -> Done:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "vectorplane", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300)
    return Done(command, done.returncode, done.stdout.decode(), warm(done.stderr.decode()))


def run(*arguments: object) -> Done:
    """A run in this process, which has loaded the kernels: status, output, errors."""
    command = ["vectorplane", *map(str, arguments)]
    output, errors, status = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        patch.setattr(sys, "argv", command)
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(command, status, output.getvalue(), warm(errors.getvalue()))


def replayed(*arguments: object, stdin: bytes | None = None) -> dict[str, Any]:
    """The object that ``replay --json`` prints; its balance is exact."""
    arguments = ("replay", *arguments, "--json")
    done = run(*arguments) if stdin is None else process(*arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    left = made["packets_in"] + made["generated"]
    assert left == made["packets_out"] + sum(made["drops"].values()) + sum(made["consumed"].values())
    return made


def count(path: Path) -> int:
    """Packets of a capture, which must be whole."""
    with CaptureReader(path, strict=True) as reader:
        return sum(len(window.records) for window in iter(reader.next_window, None))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A capture of three frames, the last without an IPv4 packet."""
    path = tmp_path / "tiny.pcap"
    frame = bytes.fromhex(
        "02fe00000001 020000000099 0800 4500001c00010000401166ce0a0000010a000002 04d2162e00080000".replace(" ", "")
    )
    with CaptureWriter(path) as writer:
        for i, data in enumerate((frame, frame, frame[:12] + b"\x86\xdd" + frame[14:])):
            writer.write(1_000_000_000 + i, data)
    return path


def test_version_and_help() -> None:
    assert process("--version").stdout.startswith("vectorplane 0.")
    for command in ((), ("replay",), ("check",), ("compare",), ("graph",), ("doctor",), ("show",), ("bench",)):
        done = run(*command, "--help")
        assert done.returncode == 0 and "Usage" in done.stdout


@pytest.mark.parametrize(
    "wrong", [("no-such-command",), ("replay",), ("replay", "x", "--clock", "slow"), ("show", "x")]
)
def test_wrong_usage(wrong: tuple[str, ...]) -> None:
    done = run(*wrong)
    assert done.returncode == 2 and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.yaml")))
def test_examples_are_correct(name: str) -> None:
    done = run("check", EXAMPLES / name)
    assert done.returncode == 0 and ": OK (" in done.stdout, done.stderr


def test_check_names_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("interfaces:\n  in: {mtuu: 5}\nroutes:\n  - {prefix: 10.0.0.0/8, via: 10.1}\n")
    done = process("check", path)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"vectorplane: error: {path}:2: interfaces.in.mtuu: unknown field; did you mean mtu?")
    assert lines[1].startswith(f"vectorplane: error: {path}:4: routes[0].via: expected an IPv4 address")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "gone.pcap"), "vectorplane: error: gone.pcap: "),
        (("replay", "noise.pcap"), "vectorplane: error: noise.pcap: "),
        (("replay", "tiny.pcap", "--config", "gone.yaml"), "vectorplane: error: gone.yaml: no such file or directory"),
        (("replay", "tiny.pcap", "--out", "tiny.pcap"), "vectorplane: error: tiny.pcap: file exists"),
        (("show", "node", "ip4-lookupp"), "vectorplane: error: there is no node ip4-lookupp; did you mean ip4-lookup?"),
        (("show", "runtime"), "vectorplane: error: show runtime: there is no running engine"),
    ],
)
def test_mistakes_are_one_line(
    tiny: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.parent / "noise.pcap").write_bytes(b"this is no capture at all")
    monkeypatch.chdir(tiny.parent)
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-", "-"), "standard input (-) can be given once"),
        (("-", "--loop", "2"), "standard input cannot be played more than once"),
    ],
)
def test_standard_input_once(arguments: tuple[str, ...], message: str) -> None:
    done = run("replay", *arguments)
    assert done.returncode == 2 and message in done.stderr


def test_what_has_to_wait_is_a_warning(tiny: Path) -> None:
    config = tiny.parent / "c.yaml"
    config.write_text("interfaces: {in: {}}\nroutes:\n  - {prefix: 0.0.0.0/0, via: 10.0.0.1, interface: out}\n")
    done = run("check", config)
    assert done.returncode == 0 and ": OK (" in done.stdout
    assert done.stderr.startswith(
        f"vectorplane: warning: {config}:3: routes[0].interface: pending: there is no interface out"
    )
    done = run("replay", tiny, "-c", config)
    assert done.returncode == 0
    assert f"vectorplane: warning: {config}:3: routes[0]: pending: there is no interface out\n" in done.stderr


def test_replay_without_configuration(tiny: Path) -> None:
    out = tiny.parent / "out"
    made = replayed(tiny, "--out", out)
    assert (made["packets_in"], made["packets_out"]) == (3, 2)
    assert sum(made["drops"].values()) == 1
    assert count(out / "out.pcap") == 2 and count(out / "in.pcap") == 0
    with CaptureReader(out / "out.pcap") as reader:
        window = reader.next_window()
        assert window is not None
        assert [int(t) for t in window.records["time"]] == [1_000_000_000, 1_000_000_001]
    assert {"name", "calls", "vectors", "clocks_per_packet"} <= made["nodes"][0].keys()


def test_replay_prints_tables(tiny: Path) -> None:
    done = run("replay", tiny, "--trace", 1)
    assert done.returncode == 0 and done.stderr == ""
    for wanted in ("Packet 1", "ethernet-input", "Runtime", "Vectors/Call", "Drops", "packets a second"):
        assert wanted in done.stdout


def test_replay_trace_as_json(tiny: Path) -> None:
    made = replayed(tiny, "--trace", 2)
    assert [p["records"][0]["node"] for p in made["trace"]] == ["capture-input"] * 2


def test_replay_from_standard_input_limit_and_loop(tiny: Path) -> None:
    assert replayed("-", stdin=tiny.read_bytes())["packets_in"] == 3
    assert replayed(tiny, "--limit", 2)["packets_in"] == 2
    assert replayed(tiny, "--loop", 4, "--clock", "fast")["packets_in"] == 12
    assert replayed(tiny, tiny)["packets_in"] == 6


def test_replay_damaged(tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes()[:-10])
    done = run("replay", tiny)
    assert done.returncode == 0
    assert done.stderr.startswith("vectorplane: warning: ") and done.stderr.count("\n") == 1
    done = run("replay", tiny, "--strict")
    assert done.returncode == 1 and done.stderr.startswith(f"vectorplane: error: {tiny}: byte ")


def test_output_never_overwrites_an_input(tiny: Path) -> None:
    before = tiny.read_bytes()
    shutil.copy(tiny, tiny.parent / "out.pcap")
    done = run("replay", tiny.parent / "out.pcap", "--out", tiny.parent)
    assert done.returncode == 1 and "would overwrite a capture that is to be read" in done.stderr
    assert (tiny.parent / "out.pcap").read_bytes() == before


def test_captures_for_interfaces(tiny: Path) -> None:
    config = tiny.parent / "c.yaml"
    config.write_text("interfaces: {a: {}, b: {device: {rx: tiny.pcap}}, c: {device: pg}}\n")
    rows = {i["name"]: i["rx_packets"] for i in replayed(tiny, "-c", config)["interfaces"]}
    assert (rows["a"], rows["b"]) == (3, 3)
    rows = {i["name"]: i["rx_packets"] for i in replayed(f"b={tiny}", "-c", config)["interfaces"]}
    assert (rows["a"], rows["b"]) == (0, 6)
    done = run("replay", f"c={tiny}", "-c", config)
    assert done.returncode == 2 and "interface c is no capture device" in done.stderr


def test_shipped_capture_through_the_example_router(tmp_path: Path) -> None:
    made = replayed(LAN, "--config", EXAMPLES / "router.yaml", "--out", tmp_path)
    assert made["packets_in"] == 785 and made["warnings"] == []
    # the client's unicast traffic to the server leaves by `out`; what is for the router is answered on `in`
    assert count(tmp_path / "out.pcap") > 600
    assert count(tmp_path / "in.pcap") > 10
    assert made["packets_out"] == count(tmp_path / "out.pcap") + count(tmp_path / "in.pcap")


@pytest.mark.parametrize("name", ["ecmp-vrf.yaml", "two-ports-sim.yaml"])
def test_other_examples_replay(name: str) -> None:
    assert replayed(LAN, "--config", EXAMPLES / name)["packets_in"] >= 785


def test_workers_send_the_same_packets(tmp_path: Path) -> None:
    for workers in (1, 2):
        replayed(LAN, "-c", EXAMPLES / "router.yaml", "-o", tmp_path / str(workers), "--workers", workers)
    for name in ("in.pcap", "out.pcap"):
        done = run("compare", tmp_path / "1" / name, tmp_path / "2" / name, "--unordered")
        assert done.returncode == 0, done.stdout


def test_interrupted_run_leaves_readable_files(tiny: Path) -> None:
    out = tiny.parent / "out"
    command = [sys.executable, "-m", "vectorplane", "replay", str(tiny), "--loop", "1000000", "--clock", "real"]
    program = subprocess.Popen([*command, "--out", str(out), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (out / "out.pcap").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    program.send_signal(signal.SIGINT)
    output, errors = program.communicate(timeout=30)
    assert program.returncode == 130 and b"interrupted" in errors
    made = json.loads(output)
    assert count(out / "out.pcap") == made["packets_out"]


def test_interrupted_while_a_pipe_is_silent(tiny: Path) -> None:
    command = [sys.executable, "-m", "vectorplane", "replay", "-", "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    program = subprocess.Popen(command, **pipes)  # type: ignore[call-overload]
    program.stdin.write(tiny.read_bytes())
    program.stdin.flush()
    time.sleep(4)
    program.send_signal(signal.SIGINT)
    program.wait(timeout=30)
    output, errors = program.communicate()
    assert program.returncode == 130, errors
    if output:  # it was past its start: then there is a summary
        made = json.loads(output)
        assert made["packets_in"] == made["packets_out"] + sum(made["drops"].values())


def test_compare(tiny: Path) -> None:
    other = tiny.parent / "other.pcap"
    data = bytearray(tiny.read_bytes())
    data[24 + 16] ^= 1  # first byte of the first frame
    other.write_bytes(data)
    assert run("compare", tiny, tiny).returncode == 0
    done = run("compare", tiny, other)
    assert done.returncode == 1 and done.stdout.startswith("packet 1:")
    assert run("compare", tiny, other, "--mask", "macs").returncode == 0
    assert run("compare", tiny, other, "--mask", "nonsense").returncode == 2
    assert run("compare", tiny, tiny.parent / "gone.pcap").returncode == 2


def test_show() -> None:
    assert "ip4-lookup" in run("show", "nodes").stdout
    node = run("show", "node", "ip4-input").stdout
    assert "RFC 1812" in node and "ip4-lookup" in node and "bad ip4 checksum" in node
    assert "unknown vlan" in run("show", "errors").stdout
    assert "ip4-unicast" in run("show", "features").stdout
    assert "in.100" in run("show", "interfaces", "-c", EXAMPLES / "router.yaml").stdout
    assert run("show", "buffers").returncode == 0


def test_graph(tmp_path: Path) -> None:
    done = run("graph")
    assert done.returncode == 0 and done.stdout.startswith("digraph") and "ip4-lookup" in done.stdout
    assert run("graph", "-o", tmp_path / "g.dot").returncode == 0
    assert (tmp_path / "g.dot").read_text().startswith("digraph")
    assert run("graph", "-o", tmp_path / "g.png").returncode == 2
    done = run("graph", "-c", EXAMPLES / "router.yaml", "-o", tmp_path / "g.svg")
    if shutil.which("dot"):
        assert done.returncode == 0 and "<svg" in (tmp_path / "g.svg").read_text()
    else:
        assert done.returncode == 1 and "apt-get install graphviz" in done.stderr


def test_graph_svg_without_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = run("graph", "-o", tmp_path / "g.svg")
    assert done.returncode == 1 and "apt-get install graphviz" in done.stderr


def test_doctor() -> None:
    findings = {f["what"]: f for f in json.loads(run("doctor", "--json").stdout)}
    assert {"CPU", "kernel cache", "DPDK", "huge pages", "privileges"} <= findings.keys()
    assert all(f["meaning"] for f in findings.values())


def test_doctor_unwritable_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECTORPLANE_CACHE_DIR", "/proc/no-such-cache")
    done = run("doctor", "--json")
    assert done.returncode == 1
    assert {f["what"]: f for f in json.loads(done.stdout)}["kernel cache"]["state"] == "problem"


def test_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m vectorplane show errors | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
