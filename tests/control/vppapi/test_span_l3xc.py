"""span.api and l3xc.api through the real vpp_papi client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.vppapi.client import Served, serve
from tests.control.vppapi.test_ip_routes import path
from vectorplane.control.vppapi import retval as rv

NONE = 0xFFFFFFFF
OFF, RX, TX, BOTH = range(4)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("api"), packets=False) as it:
        api = it.client.api
        for n in (1, 2, 3):
            assert api.pg_create_interface(interface_id=n).sw_if_index == n
            api.sw_interface_set_flags(sw_if_index=n, flags=1)
            api.sw_interface_add_del_address(sw_if_index=n, is_add=True, prefix=f"10.{n}.0.1/24")
        yield it


def span(api: Any, source: int, target: int, state: int, l2: bool = False) -> int:
    fields = {"sw_if_index_from": source, "sw_if_index_to": target, "state": state, "is_l2": l2}
    return int(api.sw_interface_span_enable_disable(**fields).retval)


def mirrors(api: Any, l2: bool = False) -> list[tuple[int, int, int]]:
    found = api.sw_interface_span_dump(is_l2=l2)
    assert all(bool(d.is_l2) == l2 for d in found)
    return sorted((d.sw_if_index_from, d.sw_if_index_to, int(d.state)) for d in found)


def test_mirrors(served: Served) -> None:
    api = served.client.api
    assert [span(api, 1, 2, RX), span(api, 1, 2, TX), span(api, 1, 3, BOTH), span(api, 2, 1, RX)] == [0] * 4
    assert span(api, 1, 2, BOTH, l2=True) == 0
    assert mirrors(api) == [(1, 2, TX), (1, 3, BOTH), (2, 1, RX)] and mirrors(api, True) == [(1, 2, BOTH)]
    assert [span(api, 2, 3, OFF), span(api, 2, 1, OFF), span(api, 99, 1, OFF)] == [0] * 3
    assert mirrors(api) == [(1, 2, TX), (1, 3, BOTH)], "what is not mirrored may be switched off"
    assert span(api, 1, NONE, OFF) == 0
    assert mirrors(api) == [] and mirrors(api, True) == [(1, 2, BOTH)]
    assert span(api, 1, 2, OFF, l2=True) == 0 and mirrors(api, True) == []


def test_mirrors_that_cannot_be(served: Served) -> None:
    api = served.client.api
    assert span(api, 1, 2, 4) == rv.UNIMPLEMENTED
    assert [span(api, *ends, RX) for ends in ((1, 1), (NONE, 2), (1, NONE))] == [rv.INVALID_INTERFACE] * 3
    assert span(api, NONE, 2, OFF) == rv.INVALID_INTERFACE
    assert [span(api, *ends, RX) for ends in ((99, 1), (1, 99))] == [rv.INVALID_SW_IF_INDEX] * 2
    assert mirrors(api) == []


def update(api: Any, index: int, *paths: dict[str, Any], ip6: bool = False) -> int:
    reply = api.l3xc_update(l3xc={"sw_if_index": index, "is_ip6": ip6, "n_paths": len(paths), "paths": list(paths)})
    assert reply.stats_index == 0
    return int(reply.retval)


def crossed(api: Any, index: int = NONE) -> list[tuple[int, list[tuple[int, str]]]]:
    found = [d.l3xc for d in api.l3xc_dump(sw_if_index=index)]
    return [(x.sw_if_index, [(p.sw_if_index, str(p.nh.address.ip4)) for p in x.paths]) for x in found]


def test_cross_connects(served: Served) -> None:
    api = served.client.api
    version = api.l3xc_plugin_get_version()
    assert (version.major, version.minor) == (1, 0)
    assert update(api, 1, path("10.2.0.2", interface=2)) == 0
    assert update(api, 2, path("10.1.0.2", interface=1)) == 0
    assert update(api, 1, path("10.2.0.2", interface=2), path("10.3.0.2", interface=3)) == 0
    one, two = (1, [(2, "10.2.0.2"), (3, "10.3.0.2")]), (2, [(1, "10.1.0.2")])
    assert sorted(crossed(api)) == [one, two]
    assert crossed(api, 1) == [one] and crossed(api, 3) == [] == crossed(api, 99)
    assert [api.l3xc_del(sw_if_index=i).retval for i in (1, 1, 2)] == [0, rv.INVALID_VALUE, 0]
    assert crossed(api) == []


def test_cross_connects_that_cannot_be(served: Served) -> None:
    api = served.client.api
    way = path("10.2.0.2", interface=2)
    assert update(api, 99, way) == rv.INVALID_SW_IF_INDEX and update(api, 1) == rv.INVALID_VALUE
    assert update(api, 1, path("10.2.0.2", interface=99)) == rv.NO_MATCHING_INTERFACE
    assert update(api, 1, way, ip6=True) == rv.UNIMPLEMENTED
    assert api.l3xc_del(sw_if_index=99).retval == rv.INVALID_SW_IF_INDEX
    assert api.l3xc_del(sw_if_index=1, is_ip6=True).retval == rv.INVALID_VALUE
    assert crossed(api) == []
