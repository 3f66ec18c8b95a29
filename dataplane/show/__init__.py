"""What ``show`` prints: for each subject a function that gives data (for JSON) and one that gives VPP's text.

Texts keep VPP's columns, but a name that is wider than its column is shown whole. Figures of several workers
are added up, except in ``show runtime``, which has a section a worker. `clear_errors` and `clear_runtime` remember
where the counters stood and leave them alone, as VPP does; `clear_interfaces` sets them to zero, as VPP does.
"""

from vectorplane.dataplane.show.buffers import buffers, show_buffers
from vectorplane.dataplane.show.errors import clear_errors, errors, show_errors
from vectorplane.dataplane.show.features import (
    features,
    interface_features,
    show_features,
    show_interface_features,
)
from vectorplane.dataplane.show.interfaces import (
    clear_interfaces,
    hardware,
    interfaces,
    show_hardware,
    show_interface,
)
from vectorplane.dataplane.show.nodes import node_data, node_type_data, nodes, show_node, show_node_type, show_nodes
from vectorplane.dataplane.show.runtime import clear_runtime, runtime, show_runtime

__all__ = [
    "buffers",
    "clear_errors",
    "clear_interfaces",
    "clear_runtime",
    "errors",
    "features",
    "hardware",
    "interface_features",
    "interfaces",
    "node_data",
    "node_type_data",
    "nodes",
    "runtime",
    "show_buffers",
    "show_errors",
    "show_features",
    "show_hardware",
    "show_interface",
    "show_interface_features",
    "show_node",
    "show_node_type",
    "show_nodes",
    "show_runtime",
]
