"""A stand-in for Kubernetes in one process: its objects, and the controllers that a cluster of simulated nodes needs.

It has no threads and no clock: what is to be done is done by `KubeCluster.reconcile`, the same way every time.
"""
