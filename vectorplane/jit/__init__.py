"""The ground floor: how a Python function becomes a compiled, cached kernel.

Everything above (``pcap``, ``dataplane``, ``graph_nodes``, the engine's devices) writes its fast
path with what is here; nothing here knows about packets.

* `vectorplane.jit.ops`: loads, stores, atomics, prefetch, byte swaps, the cycle counter, `rec`
  (a structured view of an address) and `call3`; each with a Python twin.
* `vectorplane.jit.kernel`: the decorators `kernel`, `compiled` and `helper`.
* `vectorplane.jit.cache`: the key that decides when machine code may be reused.
* `vectorplane.jit.twin`: memory as the twins see it, bounds-checked, with red zones.
"""
