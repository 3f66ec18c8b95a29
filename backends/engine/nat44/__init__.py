"""NAT44 endpoint-dependent from the control side (VPP's nat44-ed plugin)."""
