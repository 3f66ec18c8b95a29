"""Which address is whose in a cluster, as Contiv-VPP's IPAM decides it.

Everything follows from the settings, which all nodes share, and from a node's number: nobody needs to ask anybody which
addresses another node has. `settings` and `load` say what may be configured, `pools` what each node gets, `ipam` what
this node's pods get, `node_id` how a node gets its number.
"""
