"""Taps: interfaces whose other end is an interface of the host, or of one of its network namespaces."""
