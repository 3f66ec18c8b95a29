"""DPDK ports: a C shim with a flat API (``shim/``), loaded with cffi when the first port is made."""
