"""Kinds that VPP holds but cannot list: a word of the interface's tag remembers them."""

from __future__ import annotations

from vectorplane.backends.vpp.interfaces import tag_text
from vectorplane.backends.vpp.kinds.kind import Steps
from vectorplane.backends.vpp.link import Link


def note(link: Link, interface: str, word: str, there: bool) -> Steps:
    """Put a word into an interface's tag, or take it out."""
    known = link.interfaces[interface]
    words = tuple(w for w in known.words or () if w != word) + ((word,) if there else ())
    tag = tag_text(known.name, words)
    yield "sw_interface_tag_add_del", {"is_add": True, "sw_if_index": known.index, "tag": tag}
    known.words = words
