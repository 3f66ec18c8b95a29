"""What VPP's return codes say (the names are those of VPP's ``VNET_API_ERROR_*``)."""

from __future__ import annotations

from types import MappingProxyType

NAMES = MappingProxyType(
    {
        -1: "UNSPECIFIED",
        -2: "INVALID_SW_IF_INDEX",
        -3: "NO_SUCH_FIB",
        -4: "NO_SUCH_INNER_FIB",
        -6: "NO_SUCH_ENTRY",
        -7: "INVALID_VALUE",
        -8: "INVALID_VALUE_2",
        -9: "UNIMPLEMENTED",
        -10: "INVALID_SW_IF_INDEX_2",
        -11: "SYSCALL_ERROR_1",
        -30: "FEATURE_DISABLED",
        -31: "INVALID_REGISTRATION",
        -50: "NEXT_HOP_NOT_IN_FIB",
        -52: "NO_PATHS_IN_ROUTE",
        -54: "NO_MATCHING_INTERFACE",
        -55: "INVALID_VLAN",
        -56: "VLAN_ALREADY_EXISTS",
        -57: "INVALID_SRC_ADDRESS",
        -58: "INVALID_DST_ADDRESS",
        -59: "ADDRESS_LENGTH_MISMATCH",
        -60: "ADDRESS_NOT_FOUND_FOR_INTERFACE",
        -61: "ADDRESS_NOT_DELETABLE",
        -62: "IP6_NOT_ENABLED",
        -65: "NO_SUCH_TABLE",
        -68: "SUBIF_ALREADY_EXISTS",
        -69: "SUBIF_CREATE_FAILED",
        -71: "INVALID_INTERFACE",
        -73: "INVALID_ARGUMENT",
        -74: "UNEXPECTED_INTF_STATE",
        -77: "RESPONSE_NOT_READY",
        -79: "IF_ALREADY_EXISTS",
        -81: "VALUE_EXIST",
        -88: "IP_PREFIX_INVALID",
        -93: "CANNOT_CREATE_PCAP_FILE",
        -97: "INVALID_ADDRESS_FAMILY",
        -98: "INVALID_SUB_SW_IF_INDEX",
        -99: "TABLE_TOO_BIG",
        -100: "CANNOT_ENABLE_DISABLE_FEATURE",
        -105: "ADDRESS_IN_USE",
        -106: "ADDRESS_NOT_IN_USE",
        -114: "ADDRESS_FOUND_FOR_INTERFACE",
        -116: "ENTRY_ALREADY_EXISTS",
        -123: "SUBIF_DOESNT_EXIST",
        -126: "UNSUPPORTED",
        -127: "DUPLICATE_IF_ADDRESS",
        -144: "INIT_FAILED",
        -147: "INSTANCE_IN_USE",
        -151: "NON_ETHERNET",
        -155: "RSRC_IN_USE",
        -157: "FIB_PATH_UNSUPPORTED_NH_PROTO",
        -160: "NO_CHANGE",
        -162: "LIMIT_EXCEEDED",
        -165: "EAGAIN",
        -167: "BUSY",
        -168: "BUG",
        -169: "FEATURE_ALREADY_DISABLED",
        -170: "FEATURE_ALREADY_ENABLED",
        -171: "INVALID_PREFIX_LENGTH",
    }
)
BUSY = frozenset({-77, -167})
"""Codes after which the same request may work a little later."""


def text(code: int) -> str:
    """A return code with its name."""
    name = NAMES.get(code)
    return f"return code {code}" if name is None else f"{name} ({code})"
