"""All that is described, by name."""

from __future__ import annotations

from vectorplane.control.vppapi.schema import (
    acl,
    acl_types,
    af_packet,
    arp,
    ethernet_types,
    feature,
    fib,
    fib_types,
    geneve,
    gre,
    gso,
    interface,
    interface_types,
    ip,
    ip6_nd,
    ip_neighbor,
    ip_types,
    ipip,
    l2,
    l3xc,
    memclnt,
    memif,
    mfib_types,
    nat44_ed,
    nat_types,
    pg,
    span,
    tapv2,
    tunnel_types,
    vlib,
    vpe,
    vpe_types,
    vxlan,
)
from vectorplane.control.vppapi.schema.model import PRIMITIVES, ApiFile, Message, SchemaError, Service, Type
from vectorplane.control.vppapi.schema.parse import parse


class Registry:
    """API files, types, messages and services by name."""

    def __init__(self, files: list[ApiFile]) -> None:
        self.files = {f.name: f for f in files}
        self.types: dict[str, Type] = {}
        self.messages: dict[str, Message] = {}
        self.services: dict[str, Service] = {}
        self.file_of: dict[str, ApiFile] = {}
        """API file of a message."""
        for f in files:
            self.types |= f.types
            self.messages |= f.messages
            self.services |= f.services
            self.file_of |= dict.fromkeys(f.messages, f)

    def type(self, name: str) -> Type:
        """A named type.

        Raises:
            SchemaError: it is not described.
        """
        if name not in self.types:
            raise SchemaError(f"type {name} is not described")
        return self.types[name]

    def imported(self, file: ApiFile) -> list[ApiFile]:
        """The files that ``file`` needs, directly or not, each once and before those that need it."""
        found: dict[str, ApiFile] = {}
        for path in file.imports:
            other = self.files[path.rpartition("/")[2].removesuffix(".api")]
            found |= {f.name: f for f in (*self.imported(other), other)}
        return list(found.values())

    def check(self) -> None:
        """Every name that is used is described.

        Raises:
            SchemaError: one is not.
        """
        owners = [(t.name, t.fields) for t in self.types.values()]
        for name, fields in owners + [(m.name, m.fields) for m in self.messages.values()]:
            for i, f in enumerate(fields):
                if f.type not in PRIMITIVES and f.type not in self.types:
                    raise SchemaError(f"{name}.{f.name}: type {f.type} is not described")
                if f.count is not None and f.count not in [e.name for e in fields[:i]]:
                    raise SchemaError(f"{name}.{f.name}: there is no field {f.count} before it")
        for service in self.services.values():
            for message in service.names:
                if message not in self.messages:
                    raise SchemaError(f"service {service.request}: message {message} is not described")


def load() -> Registry:
    """Read the whole schema (a few milliseconds)."""
    types = (vpe_types, interface_types, ethernet_types, ip_types, fib_types, mfib_types, tunnel_types, acl_types)
    nat = (nat_types, nat44_ed)
    ip_modules = (ip, ip_neighbor, ip6_nd, arp, fib, l3xc)
    tunnels = (vxlan, geneve, gre, ipip)
    devices = (tapv2, af_packet, memif)
    modules = (
        memclnt,
        vlib,
        vpe,
        *types,
        pg,
        interface,
        feature,
        *ip_modules,
        l2,
        span,
        gso,
        *tunnels,
        acl,
        *nat,
        *devices,
    )
    return Registry([parse(m.TEXT) for m in modules])
