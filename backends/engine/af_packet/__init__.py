"""Interfaces of the host as ours, by packet sockets (AF_PACKET)."""
