"""Kubernetes' objects: the parts of them that a cluster's network depends on. All other fields are ignored.

Fields have Kubernetes' own names. Defaults and checks are those of its API server.
"""
