"""The engine: a dataplane with interfaces, devices, routes and neighbours that a program or a file can set up."""
