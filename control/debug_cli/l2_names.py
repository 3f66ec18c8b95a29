"""Words of bridging in which several commands speak: features, tag rewrites, interfaces that may be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.l2 import tag_rewrite as vtr
from vectorplane.graph_nodes.l2.features import DROP, INPUT_FEATURES

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli

_REWRITES = {
    vtr.DISABLED: "none",
    vtr.PUSH_1: "push-1",
    vtr.PUSH_2: "push-2",
    vtr.POP_1: "pop-1",
    vtr.POP_2: "pop-2",
    vtr.TRANSLATE_1_1: "trans-1-1",
    vtr.TRANSLATE_1_2: "trans-1-2",
    vtr.TRANSLATE_2_1: "trans-2-1",
    vtr.TRANSLATE_2_2: "trans-2-2",
}
_TAGS = {
    vtr.PUSH_1: 1,
    vtr.PUSH_2: 2,
    vtr.TRANSLATE_1_1: 1,
    vtr.TRANSLATE_1_2: 2,
    vtr.TRANSLATE_2_1: 1,
    vtr.TRANSLATE_2_2: 2,
}
"""How many tags the operation writes."""


def name_or_na(cli: DebugCli, sw_if_index: int) -> str:
    """An interface's name; ``N/A`` for none, ``Stale`` for one that is gone."""
    if sw_if_index < 0:
        return "N/A"
    return cli.engine.plane.interfaces.names.get(sw_if_index, "Stale")


def feature_line(bitmap: int) -> str:
    """The nodes of an input feature bitmap, highest bit first."""
    if bitmap == 0:
        return "  none configured"
    bits = reversed(list(enumerate(INPUT_FEATURES)))
    return "".join(f"{node} " for bit, (_, node) in bits if bitmap & ~DROP & 1 << bit)


def tag_rewrite_text(rewrite: vtr.TagRewrite) -> str:
    """``trans-1-1 dot1q 10``."""
    tags = (rewrite.tag1, rewrite.tag2)[: _TAGS.get(rewrite.op, 0)]
    kind = ["dot1q" if rewrite.dot1q else "dot1ad"] if tags else []
    return " ".join([_REWRITES[rewrite.op], *kind, *map(str, tags)])
