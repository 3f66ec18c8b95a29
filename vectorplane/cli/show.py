"""``vectorplane show``: what can be said without a running engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.backends.engine.nodes import built_in
from vectorplane.cli.errors import fail
from vectorplane.control.config_explain import did_you_mean
from vectorplane.dataplane.feature import ordered
from vectorplane.dataplane.node import NodeType, Registry
from vectorplane.dataplane.show import node_type_data, show_node_type

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


def _registry() -> Registry:
    registry = Registry(built_in()[0])
    registry.load_entry_points()
    return registry


def documentation(node: NodeType) -> str:
    """The node's specification: its own, or the docstring of its kernel or Python function."""
    own = node.doc or (node.kernel.__doc__ if node.kernel else getattr(node.python, "__doc__", "")) or ""
    return own.strip()


def nodes() -> None:
    """All node types with the first line of what they do."""
    from vectorplane.cli.tables import console, table

    made = table("Nodes", "Name", "Kind", "What it does", left=3)
    for node in sorted(_registry(), key=lambda n: n.name):
        line = documentation(node).partition("\n")[0].removeprefix(f"{node.name}: ")
        made.add_row(node.name, node_type_data(node)["type"], line)
    console().print(made)


def node(name: str) -> None:
    """One node's whole declaration. Ends the program when there is no such node."""
    registry = _registry()
    if name not in registry:
        fail(f"there is no node {name}" + did_you_mean(name, sorted(n.name for n in registry)))
    it = registry[name]
    shared = registry[it.sibling_of].nexts if it.sibling_of else it.nexts
    print(show_node_type(replace(it, doc=documentation(it), nexts=shared)), end="")
    starts = [a.name for a in built_in()[1] if name in a.starts]
    if starts:
        print(f"\n  starts the feature arcs: {', '.join(starts)}")


def errors() -> None:
    """Every error counter that a node declares."""
    from vectorplane.cli.tables import console, table

    made = table("Errors", "Node", "Symbol", "Reason", left=3)
    for it in sorted(_registry(), key=lambda n: n.name):
        for symbol, text in it.errors:
            made.add_row(it.name, symbol, text)
    console().print(made)


def features() -> None:
    """Feature arcs in the order in which their features run."""
    registry = _registry()
    for arc in built_in()[1]:
        known = {n.name: f for n in registry for f in n.features if f.arc == arc.name}
        print(f"{arc.name} (from {', '.join(arc.starts)} to {arc.end})")
        for name in ordered(known, arc.end):
            print(f"  {name}")


def configured(config: Path | None) -> Engine:
    """An engine set up by a configuration (or as replay does without one), its captures left closed.

    Raises:
        ConfigError: the configuration has mistakes.
    """
    from vectorplane.cli.devices import factory
    from vectorplane.cli.progress import compile_control
    from vectorplane.cli.replay import configuration
    from vectorplane.control.apply import apply, make_engine

    settings, _ = configuration(config)
    compile_control()
    engine = make_engine(settings)
    try:
        apply(settings, engine, factory({}, {}), str(config or "config"))
    except BaseException:
        engine.close()
        raise
    return engine


def interfaces(config: Path | None) -> None:
    """Name, index, state, MTU, MAC, table, addresses."""
    from vectorplane.cli.tables import console, table
    from vectorplane.graph_nodes.fib import Fibs

    engine = configured(config)
    made = table("Interfaces", "Name", "Idx", "State", "MTU", "MAC", "Table", "Addresses", left=7)
    fibs = engine.plane.shared(Fibs)
    for index, it in sorted(engine.interfaces.by_index.items()):
        record = engine.interfaces.record(index)
        state = "up" if engine.interfaces.is_up(index) else "down"
        addresses = ", ".join(str(a) for a in it.addresses)
        table_id = fibs.id_of(int(record["ip4_table"]))
        made.add_row(it.name, str(index), state, str(int(record["mtu"])), it.mac.hex(":"), str(table_id), addresses)
    console().print(made)
    engine.close()


def buffers(config: Path | None) -> None:
    """The pool that the configuration asks for."""
    from vectorplane.dataplane.show import show_buffers

    engine = configured(config)
    print(show_buffers(engine.plane), end="")
    engine.close()
