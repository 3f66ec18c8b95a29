"""A node's connectivity: its tables and links, the overlay that joins the nodes, the ways to nodes and pods."""
