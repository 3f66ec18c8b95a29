"""af_packet.api: interfaces of the host come, go and are listed.

The sizes of rings are our own, and so is their version: what is asked for makes no difference. Refused (UNSUPPORTED):
interfaces without Ethernet. `af_packet_set_l4_cksum_offload` does nothing, as in VPP.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

from vectorplane.backends.engine.af_packet.device import AfPacketDevice
from vectorplane.backends.engine.af_packet.host_interfaces import (
    HostInterfaceExists,
    create_host_interface,
    delete_host_interface,
    host_interfaces,
)
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE
from vectorplane.control.vppapi.retval import (
    IF_ALREADY_EXISTS,
    INVALID_INTERFACE,
    INVALID_VALUE,
    SYSCALL_ERROR_1,
    UNSUPPORTED,
    ApiError,
)

ETHERNET, IP = 1, 2
QDISC_BYPASS, CKSUM_GSO, VERSION_2 = 1, 2, 8


def _create(api: Api, m: Any, flags: int, queues: int) -> dict[str, Any]:
    try:
        device = AfPacketDevice(
            m.host_if_name,
            queues=max(1, queues),
            checksum_offload=bool(flags & CKSUM_GSO),
            qdisc_bypass=bool(flags & QDISC_BYPASS),
        )
        made = create_host_interface(api.engine, device, None if m.use_random_hw_addr else bytes(m.hw_addr))
        return {"sw_if_index": made.sw_if_index}
    except HostInterfaceExists as error:
        return {"retval": IF_ALREADY_EXISTS, "sw_if_index": error.sw_if_index}
    except ValueError as error:
        raise ApiError(INVALID_INTERFACE, str(error)) from None
    except OSError as error:
        known = error.errno == errno.ENODEV
        raise ApiError(INVALID_INTERFACE if known else SYSCALL_ERROR_1, str(error)) from None


def af_packet_create(api: Api, m: Any) -> dict[str, Any]:
    """Make ``host-NAME``, with one queue and all that it can do."""
    return _create(api, m, QDISC_BYPASS | CKSUM_GSO, 1)


def af_packet_create_v2(api: Api, m: Any) -> dict[str, Any]:
    """The same, with several queues; its flags are not looked at."""
    return _create(api, m, QDISC_BYPASS | CKSUM_GSO, m.num_rx_queues)


def af_packet_create_v3(api: Api, m: Any) -> dict[str, Any]:
    """The same, as asked for."""
    if int(m.mode) != ETHERNET:
        return {"retval": UNSUPPORTED if int(m.mode) == IP else INVALID_VALUE, "sw_if_index": NONE}
    return _create(api, m, int(m.flags), m.num_rx_queues)


def af_packet_delete(api: Api, m: Any) -> None:
    """Remove ``host-NAME``; the host's interface stays."""
    try:
        delete_host_interface(api.engine, m.host_if_name)
    except KeyError as error:
        raise ApiError(SYSCALL_ERROR_1, str(error)) from None


def af_packet_set_l4_cksum_offload(api: Api, m: Any) -> None:
    """Nothing."""


def af_packet_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """All of them."""
    for interface, device in host_interfaces(api.engine):
        yield {"sw_if_index": interface.sw_if_index, "host_if_name": device.host_name}


HANDLERS = {
    "af_packet_create": af_packet_create,
    "af_packet_create_v2": af_packet_create_v2,
    "af_packet_create_v3": af_packet_create_v3,
    "af_packet_delete": af_packet_delete,
    "af_packet_set_l4_cksum_offload": af_packet_set_l4_cksum_offload,
    "af_packet_dump": af_packet_dump,
}
