"""``show acl-plugin tables``: what lists of ACLs were compiled to, in VPP's frame.

Tuples of matchers stand where VPP has mask types and its bihash: masks are those of both addresses as they stand in a
packet and of the L4 word, and what a rule wants there is not shown. Rules of IPv6 and of short lists are tried one by
one; they have mask type -1. Lookup contexts and ACLs that have gone have no lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.contexts import LookupContext
from vectorplane.control.debug_cli.acl_lists import maybe_index, numbers
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

Mask = tuple[int, int]
_NONE = -1


class _Tuples:
    """The tuples of one lookup context; rules by their place in it."""

    def __init__(self, context: LookupContext) -> None:
        matcher = context.matcher
        four = [i for i, placed in enumerate(matcher.rules) if not placed.rule.ip6]
        self.chains = {
            mask: [[four[k] for k in chain] for chain in chains.values()] for mask, chains in matcher.tuples.items()
        }
        """By mask the rules that want the same value, for each value."""
        self.of_rule = {i: (mask, chain) for mask, chains in self.chains.items() for chain in chains for i in chain}


def show_tables(cli: DebugCli, words: Words) -> str:
    """What lists of ACLs were compiled to: all, or one of the parts."""
    acls = cli.engine.acls
    part = next((word for word in ("acl", "applied", "mask", "hash") if words.accept(word)), None)
    acl = maybe_index(words) if part == "acl" else None
    wanted = maybe_index(words, "lc_index") if part == "applied" else None
    if part == "hash":
        maybe_index(words, "verbose")
    contexts = acls.contexts()
    tuples = {c.index: _Tuples(c) for c in contexts}
    masks = {mask: i for i, mask in enumerate(sorted({mask for t in tuples.values() for mask in t.chains}))}
    lines = [
        f"Stats counters enabled for interface ACLs: {int(acls.counters_enabled)}",
        f"Use hash-based lookup for ACLs: {int(acls.use_hash_matching)}",
    ]
    if part in (None, "mask", "acl"):
        lines += _mask_lines(masks, list(tuples.values()))
    if part in (None, "acl"):
        lines += _acl_lines(cli, acl, masks, tuples)
    if part in (None, "applied"):
        lines.append("Applied lookup entries for lookup contexts")
        for context in contexts:
            if wanted in (None, context.index):
                lines += _context_lines(context, masks, tuples[context.index])
    if part in (None, "hash"):
        lines += _hash_lines(list(tuples.values()))
    return "".join(f"{line}\n" for line in lines)  # the last one is empty


def _mask_lines(masks: dict[Mask, int], tuples: list[_Tuples]) -> list[str]:
    uses = dict.fromkeys(masks, 0)
    for each in tuples:
        for mask, chains in each.chains.items():
            uses[mask] += sum(map(len, chains))
    rows = (f"     {i:3d}: addresses {a:016x} l4 {l4:016x}  refcount {uses[a, l4]}" for (a, l4), i in masks.items())
    return ["Mask-type entries:", *rows]


def _acl_lines(cli: DebugCli, wanted: int | None, masks: dict[Mask, int], tuples: dict[int, _Tuples]) -> list[str]:
    acls = cli.engine.acls
    of_rule = {}
    for context in acls.contexts():
        rules = context.matcher.rules
        for i, (mask, _) in tuples[context.index].of_rule.items():
            of_rule[rules[i].acl, rules[i].number] = masks[mask]
    lines = ["Mask-ready ACL representations"]
    for acl in acls:
        if wanted not in (None, acl.index):
            continue
        lines.append(f"acl-index {acl.index} bitmask-ready layout")
        lines.append(f"  applied lc_index list: {numbers(acls.contexts_with(acl.index))}")
        for i, rule in enumerate(acl.rules):
            mask_index = of_rule.get((acl.index, i), _NONE)
            lines.append(f"    {i:4d}: base mask index {mask_index} acl {acl.index} rule {i} action {rule.action}")
    return lines


def _context_lines(context: LookupContext, masks: dict[Mask, int], tuples: _Tuples) -> list[str]:
    lines = [f"lc_index {context.index}:", f"  applied acls: {numbers(context.acls)}", "  applied mask info entries:"]
    for i, (mask, chains) in enumerate(tuples.chains.items()):
        lines.append(
            f"    {i:4d}: mask type index {masks[mask]} first rule index {min(chain[0] for chain in chains)} "
            f"num_entries {sum(map(len, chains))} max_collisions {max(map(len, chains))}"
        )
    lines.append("  lookup applied entries:")
    rules = context.matcher.rules
    for i, (placed, hits) in enumerate(context.entries):
        mask_, chain = tuples.of_rule.get(i, (None, []))
        head = chain[0] if chain else _NONE
        colliding = chain if head == i else []
        lines.append(
            f"    {i:4d}: acl {placed.acl} rule {placed.number} action {placed.rule.action} "
            f"bitmask-ready rule {placed.number} mask type index: {_NONE if mask_ is None else masks[mask_]} "
            f"colliding_rules: {len(colliding)} collision_head_ae_idx {head} hitcount {hits} acl_pos: {placed.position}"
        )
        for k, other in enumerate(colliding):
            rule = rules[other]
            lines.append(f"        {k:4d}: acl {rule.acl} ace {rule.number} acl pos {rule.position} pae index: {other}")
    return lines


def _hash_lines(tuples: list[_Tuples]) -> list[str]:
    values = sum(len(chains) for each in tuples for chains in each.chains.values())
    tables = sum(len(each.chains) for each in tuples)
    state = f"{values} active elements in {tables} tuples" if tables else "empty, uninitialized"
    return ["", "ACL lookup hash table:", "Hash table 'acl matchers'", f"    {state}", ""]


COMMANDS = (
    Command(
        "show acl-plugin tables",
        "show acl-plugin tables [ acl [index N] | applied [ lc_index N ] | mask | hash [verbose N] ]",
        show_tables,
    ),
)
