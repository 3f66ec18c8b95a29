"""The settings of a simulated cluster that was told none."""

DEFAULT_SETTINGS = """\
ipam:
  node_interconnect_cidr: 192.168.16.0/24
  default_gateway: 192.168.16.254
"""
"""What Contiv-VPP's deployment files say, and a gateway: the host that plays the outside."""
