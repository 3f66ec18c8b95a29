"""`vectorplane run`, with our engine and with a VPP (`vectorplane vpp`), and the commands that ask it."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from vectorplane.cli import main
from vectorplane.control.management_client import Client, NoInstance, Refused

CONFIG = """
interfaces:
  lan:
    device: pg
    addresses: [10.10.1.1/24]
    sub_interfaces:
      100: {addresses: [10.10.100.1/24]}
  wan: {device: pg, addresses: [10.10.2.1/24]}
  me: {device: loopback, addresses: [192.0.2.1/32]}
tables:
  7: {}
neighbours:
  - {interface: wan, ip: 10.10.2.2, mac: 02:00:00:00:02:02}
routes:
  - {prefix: 0.0.0.0/0, via: 10.10.2.2, interface: wan}
  - {prefix: 10.9.0.0/16, table: 7, action: blackhole}
"""
PROGRAM = [sys.executable, "-c", "from vectorplane.cli import main; main()"]


def eventually(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value."""
    end = time.monotonic() + seconds
    while not (value := true()) and time.monotonic() < end:
        time.sleep(0.05)
    assert value
    return value


def vectorplane(*words: str) -> subprocess.CompletedProcess[str]:
    """A command of the program, run in this process: it starts faster."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vectorplane", *words])
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


class Program:
    """One that was started, and what it says on standard error."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self.log = folder / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*PROGRAM, *words], stdout=log, stderr=log)

    def wait_for(self, path: Path) -> None:
        """Until there is a socket; kernels may have to be compiled first."""
        end = time.monotonic() + 300
        while not path.exists():
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def end(self) -> int:
        """Stop it as an operator would; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()


class Run(Program):
    """`vectorplane run` and a client of it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.config, self.folder = folder / "router.yaml", folder
        self.config.write_text(CONFIG)
        super().__init__(folder, "run", "run", "-c", str(self.config), "--run-dir", str(folder), *words)
        self.socket = folder / "management.sock"
        self.wait_for(self.socket)
        self.client = Client(self.socket)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command against the instance."""
        return vectorplane(*words, "--socket", str(self.socket))


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    made = Run(tmp_path_factory.mktemp("sim"), "--cli-socket", "default", "--api-socket", "default")
    yield made
    made.client.__exit__()
    assert made.end() == 0
    assert not made.socket.exists() and not (made.folder / "api.sock").exists()


@pytest.fixture(autouse=True)
def as_configured(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sim" in request.fixturenames:
        run: Run = request.getfixturevalue("sim")
        run.config.write_text(CONFIG)
        run.client.call("apply")


def test_the_sockets_are_there(sim: Run) -> None:
    for name in ("management.sock", "api.sock", "cli.sock"):
        assert os.stat(sim.folder / name).st_mode & 0o777 == 0o660
    eventually(lambda: "vectorplane: sim runs; management socket" in sim.log.read_text())


def test_dump_diff_explain_history(sim: Run) -> None:
    texts = {row["text"] for row in sim.client.call("dump")}
    assert {"interface lan pg", "interface lan.100 address 10.10.100.1/24", "table 7 ip4"} <= texts
    assert "route 0.0.0.0/0 via 10.10.2.2 wan" in texts and "route 10.9.0.0/16 table 7 blackhole" in texts
    done = sim.ask("diff")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = sim.ask("explain", "route/0/0.0.0.0/0")
    assert "route/0/0.0.0.0/0: applied" in done.stdout and f"{sim.config}:15: routes[0]" in done.stdout
    done = sim.ask("history", "2")
    assert "create   interface/lan" in done.stdout and done.returncode == 0
    done = sim.ask("explain", "route/0/0.0.0.0/00")
    assert "did you mean: route/0/0.0.0.0/0" in done.stdout


def test_what_is_not_as_it_should_be_is_a_difference(sim: Run) -> None:
    sim.client.call("cli", line="set interface state lan down")
    done = sim.ask("diff")
    assert done.returncode == 1 and done.stdout == "- interface lan up\n"
    assert sim.client.call("resync")["done"] == {"create up": 1}
    assert sim.client.call("diff") == []


def test_plan_and_apply_another_file(sim: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CONFIG.replace("via: 10.10.2.2,", "via: 10.10.2.9,"))
    done = sim.ask("plan", str(other), "--json")
    (operation,) = json.loads(done.stdout)["operations"]
    assert (operation["verb"], operation["key"]) == ("update", "route/0/0.0.0.0/0")
    assert sim.ask("plan").stdout == "nothing to do\n"
    done = sim.ask("apply", str(other))
    assert done.returncode == 0 and "1 update route" in done.stdout
    assert "via 10.10.2.9" in sim.client.call("cli", line="show ip fib 0.0.0.0/0")
    status = sim.ask("show", "status").stdout
    assert f"in force     {other}" in status and f"config       {sim.config}" in status


def test_a_file_with_mistakes(sim: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("interfaces:\n  lan: {device: pg, mtu: x}\n")
    for command in ("plan", "apply"):
        done = sim.ask(command, str(bad))
        assert done.returncode == 2 and f"{bad}:2: interfaces.lan.mtu: expected an integer" in done.stderr
    bad.write_text("interfaces:\n  lan: {device: {type: ipip, src: '::1', dst: '::2'}}\n")
    assert f"{bad}:2: interfaces.lan.device.src: the engine has no tunnels" in sim.ask("apply", str(bad)).stderr
    bad.write_bytes(b"\xff")
    assert "not UTF-8" in sim.ask("apply", str(bad)).stderr
    assert "no such file" in sim.ask("apply", str(tmp_path / "none")).stderr
    assert sim.client.call("diff") == []


def test_sighup_reads_the_file(sim: Run) -> None:
    # as long as before and with the same time: only the signal tells of it
    before = os.stat(sim.config)
    sim.config.write_text(CONFIG.replace("10.10.2.2", "10.10.2.8"))
    os.utime(sim.config, ns=(before.st_atime_ns, before.st_mtime_ns))
    sim.process.send_signal(signal.SIGHUP)
    eventually(lambda: "10.10.2.8" in str(sim.client.call("dump", kind="route")))
    assert "10.10.2.8" in str(sim.client.call("dump", kind="neighbour"))


def test_a_changed_file_with_mistakes_keeps_what_was(sim: Run) -> None:
    sim.config.write_text(CONFIG + "bogus: 1\n")
    (line,) = eventually(lambda: sim.client.call("status")["mistakes"])
    assert line.startswith(f"{sim.config}:17: bogus: unknown field") and line in sim.log.read_text()
    assert "is not used: what was configured before stays in force" in sim.log.read_text()
    assert sim.client.call("diff") == []


def test_show_and_trace(sim: Run) -> None:
    assert "lan.100" in sim.ask("show", "interfaces").stdout
    assert "Pool Name" in sim.ask("show", "buffers").stdout
    assert "Packet-Clocks" in sim.ask("show", "runtime").stdout
    assert "Reason" in sim.ask("show", "errors").stdout
    assert "interface/wan/up" in sim.ask("show", "items", "interface/wan").stdout
    assert {"interfaces", "errors", "nodes"} <= json.loads(sim.ask("show", "counters").stdout).keys()
    assert sim.ask("trace", "add", "pg-input", "10").returncode == 0
    assert "No packets in trace buffer" in sim.ask("trace", "show").stdout
    assert sim.ask("trace", "clear").returncode == 0
    done = sim.ask("trace", "add", "no-such-node", "10")
    assert done.returncode == 2 and "vectorplane: error:" in done.stderr


def test_explain_packet(sim: Run) -> None:
    flow = ("--interface", "lan", "--flow", "udp 10.10.1.5:1 -> 10.77.0.1:2")
    before, kept = sim.client.call("counters"), ("interfaces", "errors")
    done = sim.ask("explain-packet", *flow)
    assert done.returncode == 0 and done.stderr == ""
    assert "explained on a copy of the instance" in done.stdout and "Sent by wan, 42 bytes" in done.stdout
    after = sim.client.call("counters")
    assert [after[k] for k in kept] == [before[k] for k in kept]
    done = sim.ask("explain-packet", *flow, "--inject", "--json")
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "sent" and answer["disagreements"] == []
    packets = {row["name"]: row["tx_packets"] for row in sim.client.call("counters")["interfaces"]}
    assert packets["wan"] == {r["name"]: r["tx_packets"] for r in before["interfaces"]}["wan"] + 1
    done = sim.ask("explain-packet", "-i", "lan.100", "--flow", "udp 10.10.100.5:1 -> 10.77.0.1:2 ttl 1")
    assert done.returncode == 1 and "ip4 ttl <= 1" in done.stdout
    for words, why in (
        (("-i", "none", "--hex", "00"), "there is no interface none; known: lan, lan.100, wan, me"),
        (("-i", "me", "--hex", "00"), "me receives nothing from outside"),
        (("-i", "lan", "--flow", "x"), "flow 'x'"),
    ):
        done = sim.ask("explain-packet", *words)
        assert done.returncode == 2 and why in done.stderr
    for given in ({"interface": "lan"}, {"interface": "lan", "hex": "00", "flow": "x"}):
        with pytest.raises(Refused, match="expected hex or flow, one of them"):
            sim.client.call("explain_packet", **given)
    with pytest.raises(Refused, match="inject: expected true or false"):
        sim.client.call("explain_packet", interface="lan", hex="00", inject=1)


def test_a_second_instance_does_not_take_the_socket(sim: Run) -> None:
    second = Program(sim.folder, "second", "run", "-c", str(sim.config), "--run-dir", str(sim.folder))
    assert second.process.wait(60) == 1
    assert "management.sock: another program is listening there" in second.log.read_text()
    assert sim.client.call("status")["pid"] == sim.process.pid


def test_no_instance(tmp_path: Path) -> None:
    for words in (("plan",), ("diff",), ("show", "status"), ("trace", "clear")):
        done = vectorplane(*words, "--socket", str(tmp_path / "none.sock"))
        assert done.returncode == 2 and "no instance answers" in done.stderr
    with pytest.raises(NoInstance):
        Client(tmp_path / "none.sock")


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (("--backend", "dpkd"), 2, "--backend: expected sim, dpdk, vpp or vpp:SOCKET, got 'dpkd'"),
        (("--backend", "sim:x"), 2, "--backend: expected sim, dpdk, vpp or vpp:SOCKET"),
        (("--backend", "vpp:/none/api.sock", "--cli-socket", "default"), 2, "are for --backend sim"),
        (("--backend", "vpp:/none/api.sock"), 1, "no VPP at /none/api.sock"),
        (("--backend", "vpp:/none/api.sock", "--api-dir", "/none"), 1, "there is no folder /none"),
    ],
)
def test_run_wrongly_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], status: int, error: str
) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    done = vectorplane("run", "-c", str(tmp_path / "c.yaml"), "--run-dir", str(tmp_path), *words)
    assert done.returncode == status and error in done.stderr


def start_vpp(folder: Path) -> Program:
    """`vectorplane vpp`, with its sockets open."""
    unix = ["unix", "{", "nodaemon", "runtime-dir", str(folder), "}"]
    made = Program(folder, "vpp", "vpp", *unix, "socksvr", "{", "default", "}", "statseg", "{", "default", "}")
    made.wait_for(folder / "api.sock")
    return made


def test_a_vpp_that_is_killed_gets_everything_back(tmp_path: Path, sim: Run) -> None:
    vpp = start_vpp(tmp_path)
    run = Run(tmp_path, "--backend", f"vpp:{tmp_path}/api.sock")
    try:
        texts = sorted(row["text"] for row in run.client.call("dump"))
        assert texts == sorted(row["text"] for row in sim.client.call("dump"))
        assert run.client.call("diff") == []
        assert "pg0.100" in run.ask("show", "interfaces").stdout
        done = run.ask("explain-packet", "-i", "lan", "--hex", "00")
        assert done.returncode == 2 and "only packets of vectorplane's own engine can be explained" in done.stderr

        vpp.process.kill()
        vpp.process.wait()
        eventually(lambda: b"gone" in run.log.read_bytes() or b"WARNING" in run.log.read_bytes())
        assert run.client.call("status")["backend"].startswith("vpp:")
        assert run.ask("dump").returncode == 2

        (tmp_path / "api.sock").unlink(missing_ok=True)
        vpp = start_vpp(tmp_path)
        eventually(lambda: run.client.call("history")[-1]["note"] == "the backend is back")
        assert run.client.call("diff") == []
        assert sorted(row["text"] for row in run.client.call("dump")) == texts
        last = run.client.call("history")[-1]
        assert last["outcome"] == "applied" and last["done"]["create interface"] == 3
    finally:
        assert run.end() == 0
        assert vpp.end() == 0
