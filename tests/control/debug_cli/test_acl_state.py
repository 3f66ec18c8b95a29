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


HEAD = ["Stats counters enabled for interface ACLs: 0", "Use hash-based lookup for ACLs: 1"]
EMPTY = ["", "ACL lookup hash table:", "Hash table 'acl matchers'", "    empty, uninitialized", ""]


def entry(i: int, acl: int, rule: int, action: int, mask: int, colliding: int, head: int, hits: int, place: int) -> str:
    return (
        f"    {i:4d}: acl {acl} rule {rule} action {action} bitmask-ready rule {rule} mask type index: {mask} "
        f"colliding_rules: {colliding} collision_head_ae_idx {head} hitcount {hits} acl_pos: {place}"
    )


def test_tables_of_a_short_list(cli: DebugCli) -> None:
    """Its rules are tried one after the other."""
    ready = [
        "Mask-ready ACL representations",
        "acl-index 0 bitmask-ready layout",
        "  applied lc_index list: 0",
        "       0: base mask index -1 acl 0 rule 0 action 2",
        "acl-index 1 bitmask-ready layout",
        "  applied lc_index list: 0",
        "       0: base mask index -1 acl 1 rule 0 action 0",
    ]
    applied = ["Applied lookup entries for lookup contexts", "lc_index 0:", "  applied acls: 0, 1"]
    applied += ["  applied mask info entries:", "  lookup applied entries:"]
    applied += [entry(0, 0, 0, 2, -1, 0, -1, 1, 0), entry(1, 1, 0, 0, -1, 0, -1, 0, 1)]
    masks = ["Mask-type entries:"]
    assert lines(cli, "show acl-plugin tables") == HEAD + masks + ready + applied + EMPTY
    assert lines(cli, "show acl-plugin tables acl") == HEAD + masks + ready
    assert lines(cli, "show acl-plugin tables acl index 1") == HEAD + masks + ready[:1] + ready[4:]
    assert lines(cli, "show acl-plugin tables applied lc_index 0") == HEAD + applied
    assert lines(cli, "show acl-plugin tables applied lc_index 1") == HEAD + applied[:1]
    assert lines(cli, "show acl-plugin tables mask") == HEAD + masks
    assert lines(cli, "show acl-plugin tables hash verbose 1") == HEAD + EMPTY


def test_tables_of_tuples(cli: DebugCli) -> None:
    """Masks have one number everywhere; places of rules count those of IPv6, too."""
    acls = cli.engine.acls
    inside, outside = NETWORKS[INSIDE], NETWORKS[OUTSIDE]
    six = AclRule(DENY, ip6=True)
    by_source = [AclRule(REFLECT, src=inside + i, src_len=32) for i in range(8)]
    by_source.append(by_source[3]._replace(action=DENY))
    first = acls.add_replace(None, "", [six, AclRule(DENY, dst=outside, dst_len=24), *by_source])
    second = acls.add_replace(None, "", by_source)
    acls.set_lists(1, [first], [second])
    shown = lines(cli, "show acl-plugin tables")
    masks = [line for line in shown if " addresses " in line]
    assert masks == [
        "       0: addresses 00000000ffffffff l4 0000000000000000  refcount 18",
        "       1: addresses 00ffffff00000000 l4 0000000000000000  refcount 1",
    ]
    infos = [line for line in shown if "mask type index " in line and "first rule" in line]
    one, two = (c.index for c in sorted(acls.contexts(), key=lambda c: not c.is_input))
    assert shown.index(f"lc_index {one}:") < shown.index(f"lc_index {two}:")
    assert infos == [
        "       0: mask type index 1 first rule index 1 num_entries 1 max_collisions 1",
        "       1: mask type index 0 first rule index 2 num_entries 9 max_collisions 2",
        "       0: mask type index 0 first rule index 0 num_entries 9 max_collisions 2",
    ]
    at = shown.index(f"lc_index {one}:") + 6
    assert shown[at : at + 3] == [
        entry(0, first, 0, 0, -1, 0, -1, 0, 0),
        entry(1, first, 1, 0, 1, 1, 1, 0, 0),
        f"           0: acl {first} ace 1 acl pos 0 pae index: 1",
    ]
    collision = shown.index(entry(5, first, 5, 2, 0, 2, 5, 0, 0))
    assert shown[collision + 1 : collision + 3] == [
        f"           0: acl {first} ace 5 acl pos 0 pae index: 5",
        f"           1: acl {first} ace 10 acl pos 0 pae index: 10",
    ]
    assert entry(10, first, 10, 0, 0, 0, 5, 0, 0) in shown
    assert f"       0: base mask index -1 acl {first} rule 0 action 0" in shown
    assert f"       1: base mask index 1 acl {first} rule 1 action 0" in shown
    assert "    17 active elements in 3 tuples" in shown
    acls.use_hash_matching = False
    assert lines(cli, "show acl-plugin tables hash")[1:] == ["Use hash-based lookup for ACLs: 0", *EMPTY]


def test_tuples(cli: DebugCli) -> None:
    (shown, *_) = lines(cli, "show acl-plugin decode 5tuple 0 0 0 0201000a0100000a 0001001100350400 0002000000000000")
    assert shown == (
        "5-tuple structure decode: lc_index 0 l3 ip4 10.0.0.1 -> 10.0.1.2 l4 lsb_of_sw_if_index 1 proto 17 "
        "l4_is_input 0 l4_slow_path 0 l4_flags 0x00 port 1024 -> 53 tcp flags (invalid) 02 rsvd 0"
    )
    assert lines(cli, "show acl-plugin memory") == ["ACL memory is now part of the main heap"]
    assert lines(cli, "show acl-plugin lookup user") == ["index 0:interface ACL:sw_if_index:is_input"]
