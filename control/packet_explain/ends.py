"""The ends of a packet's way: an interface's output, and the drop nodes."""

from __future__ import annotations

from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told


def explain_output(at: Moment) -> Explaining:
    """Is the interface up, and which features does its output have?"""
    yield
    engine, tx = at.engine, at.before.tx
    name = at.interface(tx)
    facts = {"interface": name, "error": at.reason}
    if at.reason and tx in engine.interfaces.by_index:
        down = [
            text
            for wrong, text in (
                (not engine.interfaces.is_up(tx), f"{name} is administratively down"),
                (not engine.interfaces.link_is_up(tx), f"{name} has no link"),
            )
            if wrong
        ]
        return Told([f"{at.reason}: {', '.join(down)}" if down else at.reason], facts)
    features = engine.plane.arcs["interface-output"].chain(tx)
    more = f"; features on interface-output: {', '.join(features)}" if features else ""
    return Told([f"leaves by {name}{more}"], facts | {"features": features})


def explain_drop(at: Moment) -> Explaining:
    """The error that the packet carries, and whose it is."""
    yield
    names, error = at.engine.plane.graph.error_names, int(at.before.meta["error"])
    node, text = names[error] if 0 <= error < len(names) else ("?", f"error {error}")
    punt = at.node.type.name == "error-punt"
    lines = ["it is the host's business, and nobody takes it there"] if punt else []
    return Told(lines, {"error_node": node, "error": text, "severity": "error"})


def explain_nothing(at: Moment) -> Explaining:
    """The node's name says it all."""
    yield
    return Told()


EXPLAINERS = (
    Explainer(("interface-output-template",), explain_output),
    Explainer(("error-drop", "error-punt", "null-node"), explain_drop),
    Explainer(("interface-output", "ip4-drop", "ip6-drop"), explain_nothing),
)
