"""The cluster: what the nodes of a Contiv-VPP cluster know of each other, and what each makes of it."""
