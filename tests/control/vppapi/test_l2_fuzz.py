"""Random requests about bridging and tunnels: answered or refused, and nothing is left behind."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest

from vectorplane.backends.engine.engine import Engine
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.codec import Codec
from vectorplane.control.vppapi.handlers import (
    geneve,
    gre,
    interface_create,
    interface_dump,
    ipip,
    l2_bridge,
    l2_features,
    l2_fib,
    l2_ip_mac,
    l2_ports,
    l2_tag_rewrite,
    pg,
    vxlan,
)
from vectorplane.control.vppapi.retval import ApiError
from vectorplane.control.vppapi.schema.model import Field
from vectorplane.control.vppapi.schema.registry import load

NONE = 0xFFFFFFFF
MODULES: tuple[Any, ...] = (
    l2_bridge,
    l2_features,
    l2_fib,
    l2_ip_mac,
    l2_ports,
    l2_tag_rewrite,
    vxlan,
    geneve,
    gre,
    ipip,
    pg,
    interface_create,
    interface_dump,
)
HANDLERS = {name: handler for module in MODULES for name, handler in module.HANDLERS.items()}
del HANDLERS["pg_capture"]  # it writes files
OFTEN = ("sw_interface_set_l2_bridge", "l2fib_add_del", "vxlan_add_del_tunnel_v3", "ipip_add_tunnel")
"""So that other requests have something to be about."""
REGISTRY = load()
CODEC = Codec(REGISTRY)


class Client:
    """Makes up requests and sends them through the codec to the handlers."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.engine, self.random = engine, random
        self.api = Api(engine)

    def send(self, name: str) -> None:
        """Any answer will do that can be encoded, and a refusal too."""
        service = REGISTRY.services[name]
        wanted = {f.name: self.value(f) for f in REGISTRY.messages[name].fields[1:]}
        request = CODEC.decoder(name)(CODEC.encoder(name, 1)(wanted))
        with suppress(ApiError):
            result = HANDLERS[name](self.api, request)
            if service.details:
                for details in result:
                    CODEC.encoder(service.details, 2)(details)
            else:
                CODEC.encoder(service.reply, 3)(result if isinstance(result, dict) else {"retval": result or 0})

    def value(self, f: Field) -> Any:
        """One that has a chance to make sense."""
        r = self.random
        named = {
            "bd_id": (1, 1, 2, 3, 0, NONE, 1 << 24),
            "port_type": (0, 0, 0, 1, 2, 3),
            "decap_next_index": (NONE, NONE, 1, 0, 9999),
            "instance": (NONE, NONE, 0, 1, 7),
            "user_instance": (NONE, 0, 1, 20000),
            "interface_id": (0, 1, 2),
            "encap_vrf_id": (0, 0, 0, 1, 9),
            "outer_table_id": (0, 0, 0, 1, 9),
            "table_id": (0, 0, 0, 1, 9),
            "vni": (0, 1, 2, (1 << 24) - 1, 1 << 24),
            "vtr_op": range(10),
            "sub_id": (1, 2, 3),
            "vlan_id": (1, 2, 3, 0, 4095),
            "type": (0, 0, 1, 2, 3),
            "mode": (0, 0, 0, 1, 2),
            "key": (0, 0, 1, NONE),
            "session_id": (0, 5, 1023, 1024),
            "flags": (0, 0, 1, 2, 5, 32, 255),
            "src_port": (0, 0, 5000),
            "dst_port": (0, 0, 6000),
        }
        if f.name in named:
            return r.choice(named[f.name])
        if "sw_if_index" in f.name:
            return r.choice([*self.engine.interfaces.by_index, NONE, 99])
        if f.type == "bool":
            return r.random() < (0.75 if f.name in ("is_add", "enable") else 0.5)
        if f.type == "mac_address":
            return bytes([2, 0, 0, 0, 0, r.randrange(4)])
        if f.type == "address":
            return r.choice([{"af": 0, "un": bytes([10, 0, 0, r.randrange(1, 4)])}] * 8 + [self.rare_address()])
        if f.type == "string":
            return r.choice(["", "a", "pg", "x" * 200])
        described = REGISTRY.types.get(f.type)
        if described is not None and described.kind == "type":
            return {inner.name: self.value(inner) for inner in described.fields}
        most = {"u8": 8, "u16": 16, "u32": 32}.get(f.type if described is None else described.base, 8)
        return r.choice([0, 1, 2, r.getrandbits(most)])

    def rare_address(self) -> dict[str, Any]:
        r = self.random
        other = [(0, bytes([239, 1, 1, r.randrange(1, 3)])), (1, bytes(15) + b"\1"), (7, bytes(16)), (0, bytes(4))]
        family, raw = r.choice(other)
        return {"af": family, "un": raw}


def take_all_away(engine: Engine) -> None:
    there = [i.sw_if_index for i in engine.interfaces.by_index.values() if i.sw_if_index and not i.is_sub]
    for index in there:
        engine.interfaces.remove(index)
    engine.bridges.detach(0)
    for bd_id in list(engine.bridges.domains):
        engine.bridges.delete(bd_id)
    engine.l2fib.clear()


@pytest.mark.parametrize("seed", range(8))
def test_random_requests(seed: int) -> None:
    engine = Engine(buffers=2048)
    try:
        engine.tables.create(1)
        client = Client(engine, Random(seed))
        names = sorted(HANDLERS) + 8 * list(OFTEN)
        routes = len(list(engine.routes.dump()))
        for _ in range(900):
            client.send(client.random.choice(names))
        take_all_away(engine)
        assert list(engine.interfaces.by_index) == [0] and not engine.bridges.ports and not engine.l2fib.count
        tunnels = (engine.vxlan, engine.geneve, engine.gre, engine.ipip)
        assert not any(t.by_index for t in tunnels) and not engine.underlay.uses(0) and not engine.underlay.uses(1)
        assert len(list(engine.routes.dump())) == routes and not engine.routes.control._via_users
    finally:
        engine.close()
