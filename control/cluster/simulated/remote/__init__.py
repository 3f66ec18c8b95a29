"""Nodes in processes of their own: the cluster's side (`node.py`) and the process's (`life.py`), and what they say.

A process has one node's engine, agent, containers and hosts, in a network of its own whose card has an open end. The
cluster asks, the process answers; what leaves by the card comes with the answers. While the agent works, it asks the
cluster for what the store says.
"""
