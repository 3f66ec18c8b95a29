"""The engine: buffers, frames, nodes, the graph, the dispatcher, workers, features, tables, counters, trace and time.

No protocol knowledge. The page to read first is `vectorplane.dataplane.abi`.
"""
