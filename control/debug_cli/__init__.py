"""VPP's debug CLI: a tree of commands, each a short function over the engine, and the unix socket that serves it."""
