"""Rules and lists change while two workers pass packets: who is permitted by the old and by the new is never denied."""

from __future__ import annotations

import time

import numpy as np

from tests.backends.test_gate import serving
from vectorplane.backends.engine.acl.rule import DENY, PERMIT, REFLECT, AclRule
from vectorplane.bench.acl import ports
from vectorplane.bench.traffic import udp_frames

OTHERS = [AclRule(DENY, False, (99 << 24) + i, 32, 0, 0, 17) for i in range(40)]
"""More than are tried one by one; no packet meets one of them."""
NODE = "acl-plugin-in-ip4-fa"


def test_nobody_is_denied_by_a_change() -> None:
    with serving(workers=2, buffers=16384) as (engine, _):
        with engine.paused():
            inside, _ = ports(engine)
            frames = udp_frames((20 << 24) + np.arange(512), dst_mac=engine.interfaces[inside].mac)
            for worker in range(2):
                engine.pg.add(f"worker {worker}", inside, frames, limit=0, worker=worker)
            first, second = (engine.acls.add_replace(None, name, [AclRule(PERMIT)]) for name in ("first", "second"))
            engine.acls.set_lists(inside, [first], None)
            engine.pg.enable()
        for n in range(60):
            last = AclRule(REFLECT if n % 3 == 0 else PERMIT, proto=17)
            with engine.paused():
                engine.acls.add_replace(second, "second", [*OTHERS[: n % 40], last])
            with engine.paused():
                engine.acls.set_lists(inside, [second if n % 2 else first], None)
            time.sleep(0.005)
        with engine.paused():
            counts = engine.plane.error_counts("errors")
            assert engine.plane.error_counts("drops") == {}
        texts = ("ACL permit packets", "new sessions added", "existing session packets")
        passed = [counts[f"{NODE}: {text}"] for text in texts]
        assert min(passed) > 0 and sum(passed) == counts[f"{NODE}: checked packets"]
