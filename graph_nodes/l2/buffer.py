"""What L2 nodes keep in a buffer's metadata: other names for words that only L3 nodes use otherwise (VPP has a union).

`l2-input` fills them in; whoever gives a packet to L3 (`to_bvi`) need not clear them, since L3 nodes write before they
read.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.jit.ops import offsets

_ADJ, _FIB, _HASH = offsets(BUFFER, "adj", "fib_index", "flow_hash")

L2_BUFFER = np.dtype(
    {
        "names": ["feature_bitmap", "bd_index", "sn", "l2_len", "shg", "age"],
        "formats": ["i4", "i2", "i2", "i1", "i1", "i1"],
        "offsets": [_ADJ, _FIB, _FIB + 2, _HASH, _HASH + 1, _HASH + 2],
        "itemsize": BUFFER.itemsize,
    }
)
"""``l2_len``: bytes of the Ethernet header with its tags; ``sn``: sequence numbers of domain and interface, to tell
stale entries by; ``shg``: split-horizon group; ``age``: does the domain age its entries?"""

BD_WORD, LENGTH_WORD = _FIB, _HASH
"""Where the domain (``bd_index | sn << 16``) and the rest (``l2_len | shg << 8 | age << 16``) lie, to store at once."""

FROM_BVI = -2
"""As ``tx_sw_if``: the packet comes from the router itself, through the bridge domain's BVI."""
