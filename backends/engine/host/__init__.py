"""What devices share whose other end is an interface of the host."""
