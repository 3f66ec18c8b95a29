"""ICMPv4's shared error counters: one list for ip4-icmp-input and ip4-icmp-error, as in VPP (``ICMP4_ERROR_*``)."""

from __future__ import annotations

ERRORS: tuple[tuple[str, str], ...] = (
    ("none", "valid packets"),
    ("unknown_type", "unknown type"),
    ("invalid_code_for_type", "invalid code for type"),
    ("invalid_hop_limit_for_type", "hop_limit != 255"),
    ("length_too_small_for_type", "payload length too small for type"),
    ("options_with_odd_length", "total option length not multiple of 8 bytes"),
    ("option_with_zero_length", "option has zero length"),
    ("echo_replies_sent", "echo replies sent"),
    ("dst_lookup_miss", "icmp6 dst address lookup misses"),
    ("dest_unreach_sent", "destination unreachable response sent"),
    ("ttl_expire_sent", "hop limit exceeded response sent"),
    ("param_problem_sent", "parameter problem response sent"),
    ("drop", "error message dropped"),
)
(
    NONE,
    UNKNOWN_TYPE,
    INVALID_CODE_FOR_TYPE,
    INVALID_HOP_LIMIT_FOR_TYPE,
    LENGTH_TOO_SMALL_FOR_TYPE,
    OPTIONS_WITH_ODD_LENGTH,
    OPTION_WITH_ZERO_LENGTH,
    ECHO_REPLIES_SENT,
    DST_LOOKUP_MISS,
    DEST_UNREACH_SENT,
    TTL_EXPIRE_SENT,
    PARAM_PROBLEM_SENT,
    DROP,
) = range(len(ERRORS))

# message types (RFC 792)
ECHO_REPLY, DESTINATION_UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER_PROBLEM = 0, 3, 8, 11, 12
PORT_UNREACHABLE, FRAGMENTATION_NEEDED = 3, 4
"""Codes of destination unreachable."""
GIVEN_UP_BEHIND = 1 << 8
"""In a buffer's `icmp_code`, above the code: not the node of the packet's error gave it up, but one behind that."""
