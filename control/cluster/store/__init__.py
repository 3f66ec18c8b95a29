"""The data store of a cluster: keys with JSON objects, revisions, transactions and watches, as etcd v3 has them.

`store.py` is the interface that everything else knows, `embedded.py` the store that lives in this process (in memory,
or with a journal on disk). The parts keep etcd's rules, so that a client of etcd can take the place of the embedded
one.
"""
