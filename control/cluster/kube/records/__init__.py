"""Kubernetes' objects to the records that agents read. Pure: the same objects give the same records."""
