"""A whole cluster in one process: nodes with engines and agents of their own, the wire between them, hosts at the ends.

Time is virtual, so everything that happens follows from what the cluster was told, in which order.
"""
