"""The same without an overlay: nodes' cards carry pods' packets as they are, those to the outside, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.control.cluster.vpp.cases import VPPS, a_case
from tests.control.cluster.vpp.flows import ERROR, HERE, OF_NO_NODE, OUT, OUTSIDE, PODS, POLICIES, SERVICES, TO_NOBODY
from vectorplane.backends.items import Interface
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("which", VPPS)
def test_the_same_state_and_packets(which: str, tmp_path: Path) -> None:
    settings = parse_settings(DEFAULT_SETTINGS + "transport: noOverlay\n")
    with a_case(which, tmp_path, settings) as case:
        held = case.twins.same().values()
        assert "vxlan" not in {item.device for item in held if isinstance(item, Interface)}
        same = [f for f in (*PODS, *POLICIES, *SERVICES, *OUT) if f not in (OF_NO_NODE, TO_NOBODY)]
        case.play(
            *(replace(f, seen_as="") if f.seen_as == HERE else f for f in same),
            replace(OF_NO_NODE, arrives=OUTSIDE),
            replace(TO_NOBODY, arrives=ERROR),
        )
