"""The same cluster without an overlay: the same verdicts, and no VXLAN on the wire."""

from __future__ import annotations

from pathlib import Path

from tests.control.cluster.simulated.clusters import EXAMPLE, ask, balanced, cluster
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS
from vectorplane.pcap.frames import frames


def test_no_overlay(tmp_path: Path) -> None:
    settings = parse_settings("transport: noOverlay\n" + DEFAULT_SETTINGS)
    with cluster(EXAMPLE) as overlay, cluster(EXAMPLE, settings=settings, captures=tmp_path) as plain:
        asked = {"port": "80", "protocol": "tcp"}
        assert ask(plain, "matrix", **asked) == ask(overlay, "matrix", **asked)
        for source, target in (
            ("web/batch", "8.8.8.8"),
            ("node/node-1", "other/visitor"),
            ("web/batch", "node/node-3"),
        ):
            answer = ask(plain, "can_reach", source=source, target=target)
            assert answer["ok"] and not answer["warnings"], answer["text"]
        balanced(plain)
    between = [f.data for path in tmp_path.glob("*.pcap") for f in frames(path)]
    assert len(between) > 100
    assert not any(data[23] == 17 and data[36:38] == (4789).to_bytes(2, "big") for data in between)
