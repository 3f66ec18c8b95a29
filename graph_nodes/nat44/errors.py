"""Why NAT drops packets: VPP's texts, in two lists, for what comes from inside and from outside."""

from __future__ import annotations

from vectorplane.graph_nodes.named_by_text import named_by_text

IN2OUT_ERRORS = named_by_text(
    "unsupported protocol",
    "out of ports",
    "unsupported ICMP type",
    "maximum sessions exceeded",
    "non-SYN packet try to create session",
    "couldn't translate packet",
)
I_UNSUPPORTED, I_OUT_OF_PORTS, I_BAD_ICMP_TYPE, I_MAX_SESSIONS, I_NON_SYN, I_FAILED = range(len(IN2OUT_ERRORS))

OUT2IN_ERRORS = named_by_text(
    "unsupported protocol",
    "out of ports",
    "unsupported ICMP type",
    "no translation",
    "maximum sessions exceeded",
    "non-SYN packet try to create session",
    "drops due to TCP in transitory timeout",
    "hash table add failed",
    "couldn't translate packet",
)
(
    O_UNSUPPORTED,
    O_OUT_OF_PORTS,
    O_BAD_ICMP_TYPE,
    O_NO_TRANSLATION,
    O_MAX_SESSIONS,
    O_NON_SYN,
    O_TCP_CLOSED,
    O_HASH_ADD_FAILED,
    O_FAILED,
) = range(len(OUT2IN_ERRORS))
assert (I_UNSUPPORTED, I_BAD_ICMP_TYPE) == (O_UNSUPPORTED, O_BAD_ICMP_TYPE)
