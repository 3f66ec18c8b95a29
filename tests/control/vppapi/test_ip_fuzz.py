"""Random requests about routes, tables, multicast, path MTUs and punts: answered or refused; nothing is left behind."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.fib_entries import API, CLI
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.codec import Codec
from vectorplane.control.vppapi.handlers import ip_mroute, ip_path_mtu, ip_punt, ip_route, ip_table
from vectorplane.control.vppapi.retval import ApiError
from vectorplane.control.vppapi.schema.registry import load

NONE = 0xFFFFFFFF
MODULES: tuple[Any, ...] = (ip_route, ip_table, ip_mroute, ip_path_mtu, ip_punt)
HANDLERS = {name: handler for module in MODULES for name, handler in module.HANDLERS.items()}
CODEC = Codec(load())
DUMPS = {
    "ip_route_dump": "ip_route_details",
    "ip_route_v2_dump": "ip_route_v2_details",
    "ip_mroute_dump": "ip_mroute_details",
    "ip_table_dump": "ip_table_details",
    "ip_mtable_dump": "ip_mtable_details",
    "ip_path_mtu_get": "ip_path_mtu_details",
    "ip_punt_redirect_v2_dump": "ip_punt_redirect_v2_details",
}


class Client:
    """Makes up requests and sends them through the codec to the handlers."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.engine, self.random = engine, random
        self.api = Api(engine)

    def send(self, name: str, **fields: Any) -> None:
        """Any answer will do that can be encoded, and a refusal too."""
        request = CODEC.decoder(name)(CODEC.encoder(name, 1)(fields))
        with suppress(ApiError):
            result = HANDLERS[name](self.api, request)
            if name in DUMPS:
                for details in result:
                    CODEC.encoder(DUMPS[name], 2)(details)
            else:
                CODEC.encoder(f"{name}_reply", 3)(result if isinstance(result, dict) else {"retval": result or 0})

    def address(self) -> bytes:
        r = self.random
        return bytes([r.choice([10, 20, 232, 224]), r.choice([0, 1, 2]), 0, r.choice([0, 1, 2, 255])])

    def table(self) -> int:
        return self.random.choice([0, 0, 1, 2, 3, 99])

    def interface(self) -> int:
        return self.random.choice([1, 2, 3, NONE, NONE, 0, 7])

    def path(self) -> dict[str, Any]:
        r = self.random
        return {
            "sw_if_index": self.interface(),
            "table_id": self.table(),
            "rpf_id": r.choice([0, 0, 0, NONE, 5]),
            "weight": r.choice([0, 1, 3]),
            "preference": r.choice([0, 0, 1]),
            "type": r.choice([0, 0, 0, 0, 1, 2, 5, 6, 7, 8, 9, 10, 3, 77]),
            "flags": r.choice([0, 0, 1, 2, 3, 255]),
            "proto": r.choice([0, 0, 0, 0, 0, 1, 2, 5]),
            "nh": {"address": r.choice([bytes(4), self.address(), self.address()])},
            "n_labels": r.choice([0] * 9 + [1]),
        }

    def paths(self) -> list[dict[str, Any]]:
        return [self.path() for _ in range(self.random.choice([0, 1, 1, 2, 4]))]

    def step(self) -> None:
        """One request, or a change of interfaces beside the API."""
        r, table = self.random, {"table_id": self.table()}
        kind = r.randrange(10)
        add = r.random() < 0.65
        if kind < 4:
            prefix = {"address": {"af": r.choice([0] * 9 + [7]), "un": self.address()}, "len": r.choice([0, 8, 24, 32])}
            route = {**table, "prefix": prefix, "paths": self.paths()}
            self.send("ip_route_add_del", is_add=add, is_multipath=r.random() < 0.4, route=route)
            self.send("ip_route_add_del_v2", is_add=add, route={**route, "src": r.choice([0, 9, 20])})
        elif kind == 4:
            self.send("ip_table_add_del", is_add=add, table={"table_id": r.choice([1, 2, 3])})
        elif kind == 5:
            self.send(r.choice(["ip_table_flush", "ip_table_replace_begin", "ip_table_replace_end"]), table=table)
        elif kind == 6:
            ends = {"grp_address": self.address(), "src_address": r.choice([bytes(4), self.address()])}
            prefix = {"grp_address_length": r.choice([32, 24, 0, 64, 200]), **ends}
            paths = [{"itf_flags": r.randrange(32), "path": self.path()} for _ in range(r.randrange(3))]
            entry = {**table, "entry_flags": r.choice([0, 1, 8]), "rpf_id": r.choice([0, 3]), "prefix": prefix}
            self.send("ip_mroute_add_del", is_add=add, route={**entry, "paths": paths})
        elif kind == 7:
            mtu = r.choice([0, 300, 900, 9000, 65535])
            self.send("ip_path_mtu_update", pmtu={**table, "nh": {"un": self.address()}, "path_mtu": mtu})
            self.send(r.choice(["ip_path_mtu_replace_begin", "ip_path_mtu_replace_end"]))
        elif kind == 8:
            punt = {"rx_sw_if_index": self.interface(), "paths": self.paths()}
            self.send("add_del_ip_punt_redirect_v2", is_add=add, punt=punt)
        else:
            self.change_interfaces(r.randrange(1, 4))

    def change_interfaces(self, n: int) -> None:
        r, engine = self.random, self.engine
        engine.interfaces.set_up(n, r.random() < 0.7)
        engine.neighbours.add(n, int.from_bytes(self.address(), "big"), bytes(6), static=True)
        with suppress(KeyError, ValueError):
            if r.random() < 0.5:
                engine.addresses.set_table(n, r.choice([0, 1, 2]))
            elif r.random() < 0.6:
                engine.addresses.remove(n, f"10.{n}.0.1/24")
            else:
                engine.addresses.add(n, f"10.{n}.0.1/24")

    def dump(self) -> None:
        for name in DUMPS:
            table = {"table": {"table_id": self.table()}} if name in ("ip_route_dump", "ip_mroute_dump") else {}
            self.send(name, **table, **({"sw_if_index": NONE} if "punt" in name else {}))


def take_all_away(engine: Engine) -> None:
    for path_mtu in engine.path_mtus.dump():
        engine.path_mtus.update(path_mtu.address, 0, path_mtu.table)
    for rx, _ in engine.punt_redirects.dump():
        engine.punt_redirects.remove(rx)
    for table in engine.tables.ids():
        for source in (API, CLI):
            engine.routes.flush(table, source)
    engine.neighbours.flush()
    for n in (1, 2, 3):
        engine.addresses.remove_all(n)
        engine.addresses.set_table(n, 0)
    for table in (1, 2, 3):
        engine.tables.delete(table)
    engine.mroutes.flush(0)


@settings(derandomize=True, deadline=None, max_examples=4)
@given(st.integers(0, 1 << 32))
def test_random_requests(seed: int) -> None:
    random, engine = Random(seed), Engine(buffers=2048)
    try:
        client = Client(engine, random)
        for n in (1, 2, 3):
            engine.interfaces.add(f"pg{n}")
            engine.interfaces.set_up(n)
            engine.addresses.add(n, f"10.{n}.0.1/24")
        for k in range(240):
            client.step()
            if k % 60 == 0:
                client.dump()
        take_all_away(engine)
        control = engine.routes.control
        assert engine.tables.ids() == [0] and engine.mroutes.tables() == [0]
        assert len(list(engine.routes.dump())) == 5 and len(engine.mroutes.dump(0)) == 3
        assert not control._via_users and not control.interposed
        assert {id(e.path_set) for e in control.entries.values()} == {
            id(s) for s in control.path_sets.by_number.values()
        }
    finally:
        engine.close()
