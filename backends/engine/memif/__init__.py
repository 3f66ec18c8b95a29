"""memif, version 2.0: packets to another process through rings in shared memory.

`messages` (the control channel's bytes) and `session` (who says what when) know no sockets; `socket` and `listener`
are the thin shell around them. `regions` maps shared memory, `rings` says where rings and buffers lie in it, `queues`
gives them to the kernels, and `device` is the interface's device.
"""
