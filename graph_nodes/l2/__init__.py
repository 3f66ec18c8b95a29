"""Bridging: the nodes between `l2-input` and `l2-output`, and the tables that they share."""
