"""Simulated hosts: small IPv4 stacks at the far ends of simulated ports' cables, in the network's virtual time."""
