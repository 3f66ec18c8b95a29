"""Bridging from the control side: bridge domains and their ports, the MAC table, tag rewrites, BVI interfaces."""
