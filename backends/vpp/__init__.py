"""A real VPP (or anything that speaks its binary API, ours too) as a backend, by vpp-papi."""
