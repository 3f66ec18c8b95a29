"""l3xc.api: what an interface receives takes the same paths, whatever its destination. IPv4 only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.handlers.interface_checks import NONE, interface_of
from vectorplane.control.vppapi.handlers.ip_paths import IP4, decode_path, encode_path
from vectorplane.control.vppapi.retval import INVALID_VALUE, UNIMPLEMENTED, ApiError

VERSION = (1, 0)
"""Of VPP's plugin."""


def l3xc_plugin_get_version(api: Api, m: Any) -> dict[str, int]:
    """The version of the plugin that this would be in VPP."""
    return dict(zip(("major", "minor"), VERSION, strict=True))


def l3xc_update(api: Api, m: Any) -> dict[str, int]:
    """Cross-connect an interface, or change its paths."""
    wanted = m.l3xc
    interface_of(api, wanted.sw_if_index)
    if not wanted.paths:
        raise ApiError(INVALID_VALUE, "no paths")
    if wanted.is_ip6:
        raise ApiError(UNIMPLEMENTED, "cross-connects of IPv6")
    paths = tuple(decode_path(api.engine, p, IP4) for p in wanted.paths)
    api.engine.l3xc.update(wanted.sw_if_index, paths)
    return {"stats_index": 0}


def l3xc_del(api: Api, m: Any) -> None:
    """Route what an interface receives again."""
    interface_of(api, m.sw_if_index)
    try:
        if m.is_ip6:
            raise KeyError("no cross-connects of IPv6")
        api.engine.l3xc.remove(m.sw_if_index)
    except KeyError as error:
        raise ApiError(INVALID_VALUE, str(error)) from None


def l3xc_dump(api: Api, m: Any) -> Iterator[dict[str, Any]]:
    """One or all."""
    for sw_if_index, paths in api.engine.l3xc.dump():
        if m.sw_if_index in (sw_if_index, NONE):
            yield {"l3xc": {"sw_if_index": sw_if_index, "paths": [encode_path(p, IP4) for p in paths]}}


HANDLERS = {
    "l3xc_plugin_get_version": l3xc_plugin_get_version,
    "l3xc_update": l3xc_update,
    "l3xc_del": l3xc_del,
    "l3xc_dump": l3xc_dump,
}
