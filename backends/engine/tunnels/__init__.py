"""Tunnels from the control side: an interface each, and what of the outer network it depends on."""
