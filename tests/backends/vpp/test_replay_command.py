"""``vectorplane replay --backend vpp:SOCKET`` through our own server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.items import bring, dump, take_away
from tests.backends.vpp.served import serving
from tests.control.vppapi.client import Served
from tests.replaying import EXAMPLES, LAN
from tests.test_cli import Done, run
from vectorplane.backends.items import Interface, InterfaceUp, Item
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.pcap.frames import frames


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("vpp")) as it:
        yield it


def _replay(*arguments: object) -> Done:
    return run("replay", *arguments)


def _json(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_the_same_report_and_output(served: Served, tmp_path: Path) -> None:
    backend = VppBackend(str(served.server.path), str(served.api_dir), timeout=120)
    kept: tuple[Item, ...] = (Interface("other", "pg"), InterfaceUp("other"))
    assert bring(backend, kept) == []
    config = ("--config", EXAMPLES / "router.yaml", "--json", LAN)
    place = ("--backend", f"vpp:{served.server.path}", "--api-dir", served.api_dir)
    vpp = _json(_replay(*config, *place, "--out", tmp_path / "vpp"))
    sim = _json(_replay(*config, "--out", tmp_path / "sim"))
    assert vpp.keys() == sim.keys()
    assert (vpp["packets_in"], vpp["bytes_in"]) == (sim["packets_in"], sim["bytes_in"])
    out = [[f.data for f in frames(tmp_path / b / "out.pcap")] for b in ("vpp", "sim")]
    assert out[0] == out[1] and len(out[0]) > 700
    rows = {row["name"]: row for row in vpp["interfaces"]}
    assert {row["name"]: row["rx_packets"] for row in sim["interfaces"]}.items() >= {
        name: row["rx_packets"] for name, row in rows.items() if name != "other"
    }.items()
    assert set(dump(backend).values()) == set(kept)  # what was made for the replay is gone, what was there is not
    assert take_away(backend, kept) == []
    backend.close()


def test_trace_and_limit(served: Served) -> None:
    done = _replay(LAN, "--backend", f"vpp:{served.server.path}", "--limit", 3, "--trace", 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Packet 1") == 1 and "Packet 2" not in done.stdout
    assert ": pg-input\n" in done.stdout and "3 packets in " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--backend", "vppp"), 2, "--backend: expected sim, dpdk, vpp or vpp:SOCKET, got 'vppp'"),
        (("--backend", "sim:x"), 2, "--backend: expected sim, dpdk, vpp or vpp:SOCKET, got 'sim:x'"),
        (("--backend", "vpp:/nowhere/api.sock"), 1, "no VPP at /nowhere/api.sock: No such file or directory"),
        (("--backend", "vpp", "--clock", "fast"), 2, "--clock is for the simulator: a VPP has its own"),
        (("--backend", "vpp:/x", "--api-dir", "/nowhere"), 1, "no definitions of VPP's messages: there is no folder"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], status: int, message: str) -> None:
    done = _replay(LAN, *arguments)
    assert done.returncode == status and done.stdout == ""
    assert done.stderr.startswith(f"vectorplane: error: {message}") and done.stderr.count("\n") == 1
