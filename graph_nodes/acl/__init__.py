"""Access control lists, as VPP's acl plugin has them: 5-tuples, rule matching, sessions, and the nodes."""
