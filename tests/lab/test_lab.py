"""Labs come and go: by a command, by a signal, by the death of an instance, and by `lab clean` after a kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.labs import EXAMPLES, PROGRAM, a_lab, folder, needs_root, prefix, run
from vectorplane.backends.engine.host.namespace import FOLDER
from vectorplane.control.lab.folder import State
from vectorplane.control.lab.namespaces import LabError
from vectorplane.control.lab.processes import has_token

pytestmark = [needs_root, pytest.mark.root]
LAB = EXAMPLES / "lab.yaml"
NAMES = ("alice", "bob", "web")
BRIDGE = """
switches:
  lan: {mtu: 1400}
hosts:
  alice: {link: lan, addresses: [10.77.3.1/24, "fd00::1/64"], mac: 02:00:00:00:00:0a}
  bob: {link: lan, addresses: 10.77.3.2/24}
"""


def take_interrupts() -> None:
    """A shell starts what it puts into the background, these tests perhaps, with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Place:
    """Where a test has its labs, and how it calls their namespaces."""

    def __init__(self, base: Path) -> None:
        self.base, self.prefix = base / "lab", prefix("t")
        self.options = ["--run-dir", str(self.base), "--prefix", self.prefix]

    def lab(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A lab that runs a command."""
        return subprocess.run(
            [*PROGRAM, "lab", *self.options, str(LAB), "--", *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self) -> subprocess.Popen[str]:
        """A lab that stays, once it is there."""
        words = [*PROGRAM, "lab", *self.options, str(LAB)]
        lab = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=take_interrupts
        )
        assert lab.stdout is not None
        told = [line for line in iter(lab.stdout.readline, "Ctrl-C ends the lab\n") if line or lab.poll() is None]
        assert any("router.alice" in line for line in told), told
        return lab

    def clean(self) -> subprocess.CompletedProcess[str]:
        words = [*PROGRAM, "lab", "clean", "--run-dir", str(self.base)]
        return subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)

    def state(self) -> State:
        return State.model_validate_json((self.base / "lab" / "state.json").read_text())

    def namespaces(self) -> list[str]:
        return sorted(p.name for p in FOLDER.glob(f"{self.prefix}*"))

    def nothing_is_left(self, token: str) -> None:
        assert self.namespaces() == [] and not (self.base / "lab").exists() and marked(token) == []


def marked(token: str) -> list[int]:
    """The processes of a lab."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and has_token(int(name), token)]


@pytest.fixture
def place() -> Iterator[Place]:
    with folder() as base:
        made = Place(base)
        yield made
        made.clean()
        for name in made.namespaces():
            subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_command_in_a_lab(place: Place) -> None:
    """Its output is ours, its status is ours, and nothing is left behind it, be it started in a namespace."""
    alice = f"ip netns exec {place.prefix}alice"
    script = (
        f"ip netns exec {place.prefix}web sleep 1000 </dev/null >/dev/null 2>&1 & "
        f"{alice} ping -c 5 -i 0.2 203.0.113.9 >&2; {alice} hostname -I 2>/dev/null; "
        f"cat {place.base}/lab/state.json; exit 7"
    )
    done = place.lab("sh", "-c", script)
    assert done.returncode == 7, done.stderr
    assert " 4 received" in done.stderr or " 5 received" in done.stderr
    state = json.loads(done.stdout[done.stdout.index("{") :])
    assert state["namespaces"] == [place.prefix + name for name in NAMES]
    place.nothing_is_left(state["token"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it(place: Place, number: signal.Signals, status: int) -> None:
    lab = place.start()
    token = place.state().token
    assert place.namespaces() == sorted(place.prefix + name for name in NAMES) and len(marked(token)) == 1
    lab.send_signal(number)
    assert lab.wait(30) == status
    place.nothing_is_left(token)


def test_an_instance_dies(place: Place) -> None:
    """The lab ends with it, and tells the end of its log."""
    lab = place.start()
    token = place.state().token
    (instance,) = marked(token)
    os.kill(instance, signal.SIGKILL)
    assert lab.stdout is not None
    told = lab.stdout.read()
    assert lab.wait(30) == 1
    assert "error: instance router has ended (signal 9); its log:" in told and "create interface" in told
    place.nothing_is_left(token)


def test_an_instance_that_cannot_have_its_tap(place: Place) -> None:
    """Another lab's namespaces are not touched, nor is anything left of the one that could not be made."""
    (taken,) = [place.prefix + "web"]
    subprocess.run(["ip", "netns", "add", taken], check=True)
    done = place.lab("true")
    assert done.returncode == 1 and f"there is a network namespace {taken} already" in done.stderr
    assert place.namespaces() == [taken] and not (place.base / "lab").exists()


def test_clean_after_a_crash(place: Place) -> None:
    """All goes that the lab made, and nothing else: neither a namespace that has its name by now, nor another lab."""
    assert "nothing to clean" in place.clean().stdout
    lab = place.start()
    token = place.state().token
    assert "lives (process" in place.clean().stdout and len(place.namespaces()) == 3
    assert "is there already (process" in place.lab("true").stderr
    web, bob = place.prefix + "web", place.prefix + "bob"
    sleeper = subprocess.Popen(["ip", "netns", "exec", web, "sleep", "1000"])
    bystander = subprocess.Popen(["sleep", "1000"])
    other = prefix("u") + "x"
    subprocess.run(["ip", "netns", "add", other], check=True)
    try:
        lab.kill()
        lab.wait()
        assert len(marked(token)) == 1  # the instance goes on
        assert "was not torn down: `vectorplane lab clean`" in place.lab("true").stderr
        subprocess.run(["ip", "netns", "del", bob], check=True)
        subprocess.run(["ip", "netns", "add", bob], check=True)
        done = place.clean()
        assert done.returncode == 0
        assert f"lab: removed; 2 processes ended; namespaces: {place.prefix}alice, {web}" in done.stdout
        assert f"the network namespace {bob} is not this lab's; it was left alone" in done.stderr
        assert place.namespaces() == [bob] and (FOLDER / other).exists()
        assert marked(token) == [] and not (place.base / "lab").exists()
        assert sleeper.wait(5) != 0 and bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        subprocess.run(["ip", "netns", "del", other], check=True)


def _others_may_write(path: Path) -> None:
    path.chmod(0o777)


def _another_owner(path: Path) -> None:
    os.chown(path, 65534, 65534)


def _made_up(path: Path) -> None:
    (path / "state.json").write_text('{"file": "", "pid": 1, "token": "0", "namespaces": ["../../etc"]}')


@pytest.mark.parametrize("harm", [_others_may_write, _another_owner, _made_up])
def test_clean_believes_only_what_a_lab_wrote(place: Place, harm: Callable[[Path], None]) -> None:
    lab = place.start()
    token = place.state().token
    lab.kill()
    lab.wait()
    path = place.base / "lab"
    before = (path / "state.json").read_text()
    harm(path)
    done = place.clean()
    assert done.returncode == 1 and ("not trusted" in done.stderr or "not what a lab writes" in done.stderr)
    assert len(place.namespaces()) == 3 and len(marked(token)) == 1
    (path / "state.json").write_text(before)
    path.chmod(0o700)
    os.chown(path, 0, 0)
    assert place.clean().returncode == 0
    place.nothing_is_left(token)


def test_a_crash_before_anything_was_made(place: Place) -> None:
    (place.base / "half").mkdir(parents=True, mode=0o700)
    place.base.chmod(0o700)
    assert "half: removed; 0 processes ended" in place.clean().stdout
    assert not (place.base / "half").exists()


def test_a_switch_without_instances() -> None:
    """Hosts on a Linux bridge; their interfaces are as the file says."""
    with a_lab(BRIDGE, "sw") as lab:
        assert "3 received" in run(lab, "alice", "ping", "-c", "3", "-i", "0.1", "-s", "1372", "-M", "do", "10.77.3.2")
        told = run(lab, "alice", "ip", "addr", "show", "eth0")
        assert "mtu 1400" in told and "02:00:00:00:00:0a" in told and "fd00::1/64" in told
        names = [FOLDER / lab.namespace(name) for name in ("alice", "bob", "lan")]
        assert all(name.exists() for name in names)
    assert not any(name.exists() for name in names)


def test_what_the_kernel_refuses_is_told() -> None:
    """And nothing is left of what was made until then: IPv6 has no use for an MTU below 1280."""
    text = BRIDGE.replace("mac: 02:00:00:00:00:0a", "mtu: 1000")
    with (
        pytest.raises(LabError, match="alice: host interface eth0: cannot give it the address fd00::1/64"),
        a_lab(text, "no"),
    ):
        pass
    assert not list(FOLDER.glob(f"{prefix('no')}*"))


def test_two_labs_are_made_at_the_same_time() -> None:
    with a_lab(BRIDGE, "one") as one, a_lab(BRIDGE, "two") as two:
        assert "1 received" in run(one, "alice", "ping", "-c", "1", "10.77.3.2")
        assert "1 received" in run(two, "alice", "ping", "-c", "1", "10.77.3.2")
