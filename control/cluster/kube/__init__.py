"""Kubernetes without a Kubernetes: manifests, a stand-in for its API server and controllers, and the reflector.

`manifests` reads YAML, `model` checks it, `api` keeps the objects and does what Kubernetes' controllers do, `records`
turns objects into what agents read, and `reflector` keeps the store at that.
"""
