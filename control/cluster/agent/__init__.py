"""The agent of a node: it follows the store, and says what the node's dataplane has to hold."""
