"""``show`` and ``clear`` of runtime, errors, buffers, nodes, features, hash tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.debug_cli.errors import CliError
from vectorplane.control.debug_cli.tree import Command
from vectorplane.control.debug_cli.words import Words
from vectorplane.dataplane.graphviz import dot
from vectorplane.dataplane.show import (
    clear_errors,
    clear_runtime,
    show_buffers,
    show_errors,
    show_node,
    show_nodes,
    show_runtime,
)

if TYPE_CHECKING:
    from vectorplane.control.debug_cli.cli import DebugCli


def runtime(cli: DebugCli, words: Words) -> str:
    """Calls, vectors and clocks of each node that ran."""
    words.accept("verbose", "max", "summary")
    return show_runtime(cli.engine.plane)


def errors(cli: DebugCli, words: Words) -> str:
    """All counters that are not zero."""
    if words.accept("verbose"):
        words.maybe_number()
    return show_errors(cli.engine.plane)


def buffers(cli: DebugCli, words: Words) -> str:
    """How many buffers are free, kept by workers, in use."""
    return show_buffers(cli.engine.plane)


def node(cli: DebugCli, words: Words) -> str:
    """One node: its next nodes and those before it."""
    graph = cli.engine.plane.graph
    words.accept("verbose")
    if words.accept("index"):
        index = words.take_number("please specify valid node", high=len(graph.nodes) - 1)
        return show_node(cli.engine.plane, graph.nodes[index].name)
    if words.done:
        raise CliError("please specify valid node")
    if words.peek() not in graph and words.peek() not in graph.registry:
        raise CliError(words.unknown("unknown node name:").message.replace("`", "'"))
    text = show_node(cli.engine.plane, words.take())
    words.accept("verbose")
    return text


def nodes(cli: DebugCli, words: Words) -> str:
    """A line a node, or all about one."""
    return show_nodes(cli.engine.plane) if words.done else node(cli, words)


def graphviz(cli: DebugCli, words: Words) -> str:
    """The graph in the language of graphviz."""
    return dot(cli.engine.plane)


def features(cli: DebugCli, words: Words) -> str:
    """All features of each arc in the order in which they run; ``verbose`` with their numbers."""
    verbose = words.accept("verbose")
    lines = ["Available feature paths"]
    for number, (name, arc) in enumerate(sorted(cli.engine.plane.arcs.items())):
        lines.append(f"[{number:2d}] {name}:" if verbose else f"{name}:")
        for place, feature in enumerate([*arc.order, arc.type.end]):
            lines.append(f"  [{place:2d}]: {feature}" if verbose else f"  {feature}")
    return "\n".join(lines)


def interface_features(cli: DebugCli, words: Words) -> str:
    """The features that are on for an interface, by arc."""
    verbose = words.accept("verbose")
    if words.done:
        raise CliError("Interface not specified...")
    interface = cli.interface(words)
    verbose = words.accept("verbose") or verbose
    lines = [f"Feature paths configured on {interface.name}..."]
    for name, arc in sorted(cli.engine.plane.arcs.items()):
        chain = arc.chain(interface.sw_if_index)
        lines += ["", f"{name}:"]
        lines += [f"  [{arc.order.index(f):2d}] {f}" if verbose else f"  {f}" for f in chain]
        lines += [f"  [end] {arc.type.end}"] if chain and verbose else []
        lines += [] if chain else ["  none configured"]
    return "\n".join(lines)


def set_feature(cli: DebugCli, words: Words) -> str:
    """Switch a feature of an arc on or off for an interface."""
    if words.done:
        raise CliError("Both feature name and arc required...")
    interface = cli.interface(words, "unknown input")
    feature = words.take_word("Both feature name and arc required...")
    if not words.accept("arc"):
        raise CliError("Both feature name and arc required...")
    name = words.take_word("Both feature name and arc required...")
    off = words.accept("disable")
    arc = cli.engine.plane.arcs.get(name)
    if arc is None:
        raise CliError(f"Unknown arc name ({name})... ")
    if feature not in arc.order:
        text = "See 'show features verbose' for valid feature/arc combinations. "
        raise CliError(f"Feature ({feature}) not registered to arc ({name})... {text}")
    arc.enable(interface.sw_if_index, feature, not off)
    if name.endswith("-output"):
        cli.engine.routes.features_changed(interface.sw_if_index)
    return ""


def clear_runtime_counters(cli: DebugCli, words: Words) -> str:
    """Count nodes from now on."""
    clear_runtime(cli.engine.plane)
    return ""


def clear_error_counters(cli: DebugCli, words: Words) -> str:
    """Count errors from now on."""
    clear_errors(cli.engine.plane)
    return ""


def show_bihash(cli: DebugCli, words: Words) -> str:
    """The hash tables: how many entries they hold."""
    words.accept("verbose")
    engine = cli.engine
    lines = [f"{'Hash table':<30}{'Entries':>10}", f"{'ip4 neighbors':<30}{len(engine.neighbours.dump()):>10}"]
    lines += [f"{'interface names':<30}{len(engine.plane.interfaces.by_name):>10}"]
    return "\n".join(lines)


COMMANDS = (
    Command("show runtime", "Show packet processing runtime", runtime),
    Command("clear runtime", "Clear packet processing runtime statistics", clear_runtime_counters),
    Command("show errors", "Show error counts", errors),
    Command("clear errors", "Clear error counters", clear_error_counters),
    Command("clear node counters", "Clear node counters", clear_error_counters),
    Command("show node counters", "Show node counters", errors),
    Command("show buffers", "Show packet buffer allocation", buffers),
    Command("show node", "show node [index] <node-name | node-index> [verbose]", node),
    Command("show vlib graph", "Show packet processing node graph", nodes),
    Command("show vlib graphviz", "Show packet processing node graph for graphviz", graphviz),
    Command("show features", "show features [verbose]", features),
    Command("show interface features", "show interface features <intfc> [verbose]", interface_features),
    Command("set interface feature", "set interface feature <intfc> <feature_name> arc <arc_name> ", set_feature),
    Command("show bihash", "show bihash", show_bihash),
)
