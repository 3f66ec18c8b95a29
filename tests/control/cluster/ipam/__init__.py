"""Tests of IPAM: the published figures of Contiv-VPP, rules against naive oracles, and what is refused and why."""
