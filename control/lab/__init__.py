"""Labs: network namespaces as hosts, wired by taps to running instances, made for a while and torn down again."""
