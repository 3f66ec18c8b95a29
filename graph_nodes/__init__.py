"""Graph nodes, one file a family: declaration, kernel, trace format, counters. Names and texts are VPP's."""
