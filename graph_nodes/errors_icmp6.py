"""ICMPv6's shared error counters (VPP's ``counters icmp6``), and message types and options (RFC 4443, RFC 4861)."""

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
    ("neighbor_solicitation_source_not_on_link", "neighbor solicitations from source not on link"),
    ("neighbor_solicitation_source_unknown", "neighbor solicitations for unknown targets"),
    ("neighbor_advertisements_tx", "neighbor advertisements sent"),
    ("neighbor_advertisements_rx", "neighbor advertisements received"),
    ("router_solicitation_source_not_on_link", "router solicitations from source not on link"),
    ("router_solicitation_unsupported_intf", "neighbor discovery unsupported interface"),
    ("router_solicitation_radv_not_config", "neighbor discovery not configured"),
    ("router_advertisement_source_not_link_local", "router advertisement source not link local"),
    ("router_advertisements_tx", "router advertisements sent"),
    ("router_advertisements_rx", "router advertisements received"),
    ("dst_lookup_miss", "icmp6 dst address lookup misses"),
    ("dest_unreach_sent", "destination unreachable response sent"),
    ("packet_too_big_sent", "packet too big response sent"),
    ("ttl_expire_sent", "hop limit exceeded response sent"),
    ("param_problem_sent", "parameter problem response sent"),
    ("drop", "error message dropped"),
    ("alloc_failure", "buffer allocation failure"),
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
    NEIGHBOR_SOLICITATION_SOURCE_NOT_ON_LINK,
    NEIGHBOR_SOLICITATION_SOURCE_UNKNOWN,
    NEIGHBOR_ADVERTISEMENTS_TX,
    NEIGHBOR_ADVERTISEMENTS_RX,
    ROUTER_SOLICITATION_SOURCE_NOT_ON_LINK,
    ROUTER_SOLICITATION_UNSUPPORTED_INTF,
    ROUTER_SOLICITATION_RADV_NOT_CONFIG,
    ROUTER_ADVERTISEMENT_SOURCE_NOT_LINK_LOCAL,
    ROUTER_ADVERTISEMENTS_TX,
    ROUTER_ADVERTISEMENTS_RX,
    DST_LOOKUP_MISS,
    DEST_UNREACH_SENT,
    PACKET_TOO_BIG_SENT,
    TTL_EXPIRE_SENT,
    PARAM_PROBLEM_SENT,
    DROP,
    ALLOC_FAILURE,
) = range(len(ERRORS))

ECHO_REQUEST_TYPE, ECHO_REPLY_TYPE, SOLICITATION_TYPE, ADVERTISEMENT_TYPE = 128, 129, 135, 136
SOURCE_LINK_LAYER, TARGET_LINK_LAYER = 1, 2
"""Options of neighbour discovery."""
