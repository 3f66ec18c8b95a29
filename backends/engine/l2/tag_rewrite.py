"""VLAN tag rewrites of ports: what is told is the input's; the output's is its opposite, with the port's own tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vectorplane.backends.engine import sub_interfaces as sub
from vectorplane.backends.engine.interfaces import DELETED
from vectorplane.graph_nodes.l2 import features
from vectorplane.graph_nodes.l2.config import L2Config
from vectorplane.graph_nodes.l2.vtr import ONE_TAG_MASK, TWO_TAGS_MASK

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface

(
    DISABLED,
    PUSH_1,
    PUSH_2,
    POP_1,
    POP_2,
    TRANSLATE_1_1,
    TRANSLATE_1_2,
    TRANSLATE_2_1,
    TRANSLATE_2_2,
) = range(9)
"""Operations, as VPP's API numbers them."""
_POPS = (0, 0, 0, 1, 2, 1, 1, 2, 2)
_PUSHES = (0, 1, 2, 0, 0, 1, 2, 1, 2)
_DOT1Q, _DOT1AD = 0x8100, 0x88A8


class TooFewTags(ValueError):
    """The port's frames do not always carry the tags that are to be taken off."""


class NotEthernet(ValueError):
    """The interface has no Ethernet frames."""


class TagRewrite(NamedTuple):
    """The rewrite of a port. ``dot1q``: the outer tag that is put on is 802.1Q, not 802.1ad; tags are VLAN ids."""

    op: int = DISABLED
    dot1q: bool = False
    tag1: int = 0
    tag2: int = 0


class TagRewrites:
    """The tag rewrites of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_index: dict[int, TagRewrite] = {}
        engine.interfaces.on_change.append(self._interface_changed)

    def get(self, sw_if_index: int) -> TagRewrite:
        """The rewrite of an interface; `DISABLED` when it has none."""
        return self._by_index.get(sw_if_index, TagRewrite())

    def set(self, sw_if_index: int, op: int, dot1q: bool = False, tag1: int = 0, tag2: int = 0) -> None:
        """Rewrite tags of what comes in and leaves by an interface, or no longer.

        Raises:
            KeyError: no such interface.
            NotEthernet, TooFewTags: see there.
            ValueError: no such operation.
        """
        interface = self._engine.interfaces[sw_if_index]
        if not interface.device.ethernet:
            raise NotEthernet(f"interface {interface.name} has no Ethernet frames")
        if not DISABLED <= op <= TRANSLATE_2_2:
            raise ValueError(f"tag rewrite operation {op} is not within 0 to {TRANSLATE_2_2}")
        if _POPS[op] > _told(interface):
            raise TooFewTags(f"interface {interface.name}: its frames do not carry {_POPS[op]} tags that were told")
        push = _PUSHES[op]
        rewrite = TagRewrite(op, dot1q and push > 0, tag1 if push else 0, tag2 if push == 2 else 0)
        if op == DISABLED:
            self._by_index.pop(sw_if_index, None)
        else:
            self._by_index[sw_if_index] = rewrite
        self._write(interface, rewrite)

    def set_efp_filter(self, sw_if_index: int, on: bool) -> None:
        """Send only frames that would be the port's own, or all. Raises `KeyError`."""
        _ = self._engine.interfaces[sw_if_index]
        self._engine.bridges.set_output_features(sw_if_index, features.OUT_EFP_FILTER, on)

    def forget(self, sw_if_index: int) -> None:
        """The interface goes back to L3: as in VPP its rewrite is gone."""
        self._by_index.pop(sw_if_index, None)

    def _write(self, interface: Interface, rewrite: TagRewrite) -> None:
        index = interface.sw_if_index
        record = self._engine.plane.shared(L2Config).outputs[index]
        pop, push = _POPS[rewrite.op], _PUSHES[rewrite.op]
        record["in_tags"] = _tags(push, _DOT1Q if rewrite.dot1q else _DOT1AD, rewrite.tag1, rewrite.tag2)
        record["out_tags"] = _tags(pop, interface.outer_type, interface.outer_vlan, interface.inner_vlan)
        record["in_push"], record["in_pop"] = 4 * push, 4 * pop
        record["out_push"], record["out_pop"] = 4 * pop, 4 * push
        record["efp_mask"] = (0, ONE_TAG_MASK, TWO_TAGS_MASK)[push]
        self._engine.bridges.write_plain(index)
        self._engine.bridges.set_port_features(index, features.VTR, rewrite.op != DISABLED)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED and self._by_index.pop(sw_if_index, None) is not None:
            self._engine.bridges.set_port_features(sw_if_index, features.VTR, False)


def _told(interface: Interface) -> int:
    """How many tags its frames carry that were told, from the outer one on."""
    flags = interface.sub_flags
    if not interface.is_sub or flags & (sub.NO_TAGS | sub.OUTER_ANY | sub.DEFAULT):
        return 0
    if flags & sub.ONE_TAG:
        return 1
    if flags & sub.TWO_TAGS:
        return 1 if flags & sub.INNER_ANY_FLAG else 2
    return 0


def _tags(count: int, outer_type: int, tag1: int, tag2: int) -> int:
    """Tags as the word that is written into a packet; a single one in its second half."""
    raw = b""
    if count:
        raw = outer_type.to_bytes(2, "big") + (tag1 & 0xFFFF).to_bytes(2, "big")
    if count == 2:
        raw += _DOT1Q.to_bytes(2, "big") + (tag2 & 0xFFFF).to_bytes(2, "big")
    return int.from_bytes(raw.rjust(8, b"\0"), "little", signed=True)
