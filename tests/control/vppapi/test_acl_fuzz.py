"""Random requests about ACLs, MACIP lists and Ethernet types: answered or refused, and nothing is left behind."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest

from vectorplane.backends.engine.engine import Engine
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.vppapi.api import Api
from vectorplane.control.vppapi.codec import Codec
from vectorplane.control.vppapi.handlers import acl, acl_interface, acl_macip
from vectorplane.control.vppapi.retval import ApiError
from vectorplane.control.vppapi.schema.registry import load

NONE = 0xFFFFFFFF
HANDLERS: dict[str, Any] = {**acl.HANDLERS, **acl_interface.HANDLERS, **acl_macip.HANDLERS}
SHOWN = ("acl", "interface acl detail", "lookup context", "macip acl", "macip interface", "sessions", "tables")
REGISTRY = load()
CODEC = Codec(REGISTRY)


class Client:
    """Makes up requests."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.random, self.api = random, Api(engine)

    def send(self, name: str) -> None:
        """An answer that can be encoded, or a refusal."""
        service = REGISTRY.services[name]
        wanted = self.fields(REGISTRY.messages[name].fields[1:])
        request = CODEC.decoder(name)(CODEC.encoder(name, 1)(wanted))
        with suppress(ApiError):
            result = HANDLERS[name](self.api, request)
            if service.details:
                for details in result:
                    CODEC.encoder(service.details, 2)(details)
            else:
                CODEC.encoder(service.reply, 3)(result if isinstance(result, dict) else {"retval": result or 0})

    def fields(self, described: Any) -> dict[str, Any]:
        """Of a message or a type."""
        made: dict[str, Any] = {}
        for f in described:
            if f.count is not None:
                made[f.name] = [self.value(f.name, f.type) for _ in range(made[f.count])]
            else:
                made[f.name] = self.value(f.name, f.type)
        return made

    def value(self, name: str, kind: str) -> Any:
        """One that has a chance to make sense."""
        r = self.random
        if name in ("acl_index", "acls"):
            return r.choice([0, 1, 2, 3, 0, 1, 2, 3, NONE, NONE, 99])
        if name == "sw_if_index":
            return r.choice([0, 1, 2, 2, 1, NONE, 99])
        if name in ("count", "n_input"):
            return r.choice([0, 1, 2, 2, 5])
        if kind == "prefix":
            af = r.random() < 0.1
            raw = bytes(16) if r.random() < 0.5 else bytes([10, 0, r.randrange(3), 0]).ljust(16, b"\0")
            return {"address": {"af": af, "un": raw}, "len": r.choice([24, 24, 32, 32, 32, 0, 33, 200])}
        if kind == "mac_address":
            return bytes([2, 0, 0, 0, 0, r.randrange(4)])
        if kind == "string":
            return r.choice(["", "a", "x" * 64])
        if kind == "bool":
            return r.random() < 0.7
        if kind == "acl_action":
            return r.choice([0, 1, 2, 3, 255])
        described = REGISTRY.types.get(kind)
        if described is not None and described.kind == "type":
            return self.fields(described.fields)
        if name.endswith("_first"):
            return r.choice([0, 0, 80])
        if name.endswith("_last"):
            return r.choice([65535, 65535, 80, 79])
        return r.choice([0, 6, 17, 58, r.randrange(256)])


@pytest.mark.parametrize("seed", range(4))
def test_random_requests(seed: int) -> None:
    engine = Engine(buffers=1024)
    try:
        for n in (1, 2):
            engine.interfaces.add(f"pg{n}")
        client, cli = Client(engine, Random(seed)), DebugCli(engine)
        names = sorted(HANDLERS) + 12 * ["acl_add_replace"]
        names += 6 * ["acl_interface_add_del", "acl_interface_set_acl_list", "macip_acl_interface_add_del"]
        most = 0
        for _ in range(500):
            client.send(client.random.choice(names))
            most = max(most, len(engine.acls.contexts()))
        assert most > 1
        for what in SHOWN:
            cli.run(f"show acl-plugin {what}")
        for index in (1, 2):
            engine.interfaces.remove(index)
        engine.acls.set_lists(0, (), ())
        engine.acl_whitelists.set(0, (), ())
        for each in list(engine.acls):
            engine.acls.delete(each.index)
        for macip in list(engine.macips):
            engine.macips.delete(macip.index)
        assert not engine.acls.contexts() and not engine.acls.interfaces and not any(engine.macips.by_interface())
        for arc in ("ip4-unicast", "ip4-output"):
            assert not [node for node in engine.plane.arcs[arc].chain(0) if "acl" in node]
    finally:
        engine.close()
