"""What can carry out a configuration: our engine, and (later) a VPP."""
