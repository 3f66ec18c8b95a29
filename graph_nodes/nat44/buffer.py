"""What NAT's nodes write into a packet's metadata for each other, behind what shallow reassembly writes."""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.graph_nodes.ip4_sv_buffer import OPAQUE

NAT_BUFFER = np.dtype({"names": ["arc_next"], "formats": ["i4"], "offsets": [OPAQUE + 24], "itemsize": BUFFER.itemsize})
"""``arc_next``: the slot of the feature behind NAT."""
