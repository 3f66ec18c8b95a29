"""Tables that kernels read while the control side changes them, each over memory that never moves.

`mtrie` (IPv4 longest-prefix match) and `prefixes` (its routes), `hash_map`, `pool`, `timer_wheel`.
"""
