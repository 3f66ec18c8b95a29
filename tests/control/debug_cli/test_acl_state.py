"""What the debug CLI shows of ACLs at work: sessions, tables, 5-tuples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.acl.strategies import l4
from tests.backends.acl.walled import INSIDE, NETWORKS, OUTSIDE, SECOND, Walled
from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.acl.rule import DENY, REFLECT, AclRule
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.graph_nodes.acl.session_table import UDP_IDLE

QUESTION = bytes(Ip4(NETWORKS[INSIDE] + 1, NETWORKS[OUTSIDE] + 2, 17, l4(17, (1024, 53), 0, 0), dont_fragment=True))


@pytest.fixture
def cli() -> Iterator[DebugCli]:
    """Inside may ask, UDP only; a question was asked twice."""
    it = Walled()
    acls = [it.acl([AclRule(REFLECT, proto=17)]), it.acl([AclRule(DENY, src=NETWORKS[INSIDE], src_len=24)])]
    it.apply(INSIDE, acls, [])
    it.wait(5 * SECOND)
    assert it.send(INSIDE, [QUESTION, QUESTION]) == [True, True]
    yield DebugCli(it.engine)
    it.engine.close()


def lines(cli: DebugCli, command: str) -> list[str]:
    return cli.run(command).splitlines()


def test_sessions(cli: DebugCli) -> None:
    now = cli.engine.now
    shown = lines(cli, "show acl-plugin sessions")
    assert shown[:4] == [
        "Sessions total: add 1 - del 0 = 1",
        "Sessions active: add 1 - deact 0 = 1",
        "Sessions being purged: deact 0 - del 0 = 0",
        f"now: {now} clocks per second: 1000000000",
    ]
    assert "    sw_if_index 1: add 1 - del 0 = 1; epoch chg: 0" in shown
    assert "    sw_if_index 2: add 0 - del 0 = 0; epoch chg: 0" in shown
    assert "  fa_conn_list_head[1]: 0" in shown and "  fa_conn_list_head[2]: -1" in shown
    assert "Reclassify sessions: 0" in shown and "  session index 0:" not in shown
    at = lines(cli, "show acl-plugin sessions thread 0 index 0")
    begin = at.index("  session index 0:")
    assert at[begin + 1 : begin + 3] == [
        "    info: 10.0.0.1 -> 10.0.1.2 proto 17 port 1024 -> 53",
        "    sw_if_index: 1",
    ]
    assert f"    link list id: {UDP_IDLE}" in at and "    thread index: 0" in at
    assert "  session index 9:" not in lines(cli, "show acl-plugin sessions thread 0 index 9")
    assert lines(cli, "clear acl-plugin sessions") == []
    assert lines(cli, "show acl-plugin sessions")[0] == "Sessions total: add 1 - del 1 = 0"


def test_tables(cli: DebugCli) -> None:
    head = ["Stats counters enabled for interface ACLs: 0", "Use hash-based lookup for ACLs: 1"]
    applied = lines(cli, "show acl-plugin tables applied lc_index 0")
    assert applied[:4] == [*head, "Applied lookup entries for lookup contexts", "lc_index 0:"]
    assert applied[4] == "  applied acls: 0, 1"
    assert applied[-2:] == [
        "       0: acl 0 rule 0 action 2 hitcount 1 acl_pos: 0",
        "       1: acl 1 rule 0 action 0 hitcount 0 acl_pos: 1",
    ]
    assert lines(cli, "show acl-plugin tables applied lc_index 1") == [*head, applied[2]]
    whole = lines(cli, "show acl-plugin tables")
    assert whole[-len(applied) + 2 :] == applied[2:] and "Mask-type entries:" in whole
    masks = lines(cli, "show acl-plugin tables mask")
    assert masks == lines(cli, "show acl-plugin tables acl index 0") and masks[2] == "Mask-type entries:"
    assert lines(cli, "show acl-plugin tables hash verbose 1") == head


def test_tuples(cli: DebugCli) -> None:
    (shown, *_) = lines(cli, "show acl-plugin decode 5tuple 0 0 0 0201000a0100000a 0001001100350400 0002000000000000")
    assert shown == (
        "5-tuple structure decode: lc_index 0 l3 ip4 10.0.0.1 -> 10.0.1.2 l4 lsb_of_sw_if_index 1 proto 17 "
        "l4_is_input 0 l4_slow_path 0 l4_flags 0x00 port 1024 -> 53 tcp flags (invalid) 02 rsvd 0"
    )
    assert lines(cli, "show acl-plugin memory") == ["ACL memory is now part of the main heap"]
    assert lines(cli, "show acl-plugin lookup user") == ["index 0:interface ACL:sw_if_index:is_input"]
