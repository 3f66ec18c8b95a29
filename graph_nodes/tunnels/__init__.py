"""Tunnels: VXLAN, GENEVE, GRE and IPIP over IPv4, and the midchain that they share."""
