"""vectorplane: a vector-of-packets graph engine in the style of FD.io VPP, in Python compiled by numba."""

__version__ = "0.1.0"
