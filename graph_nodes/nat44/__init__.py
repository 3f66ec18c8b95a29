"""NAT44 endpoint-dependent: nodes, sessions, mappings (VPP's nat44-ed)."""
