"""Services of Kubernetes: what a node does so that their addresses lead to what serves them."""
