"""The node types and feature arcs that an engine knows: all of `vectorplane.graph_nodes`, plus other packages'."""

from __future__ import annotations

import importlib
import pkgutil

import vectorplane.graph_nodes
from vectorplane.dataplane.feature import ArcType
from vectorplane.dataplane.node import NodeType


def built_in() -> tuple[list[NodeType], list[ArcType]]:
    """Every `NodeType` and `ArcType` that is a constant of a module below graph_nodes, in alphabetical order."""
    types: dict[str, NodeType] = {}
    arcs: dict[str, ArcType] = {}
    package = vectorplane.graph_nodes
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, NodeType):
                types[value.name] = value
            elif isinstance(value, ArcType):
                arcs[value.name] = value
    return [types[n] for n in sorted(types)], [arcs[n] for n in sorted(arcs)]
