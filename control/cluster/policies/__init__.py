"""Network policies to ACLs, for the pods of one node: see docs/decisions/policies.md."""
