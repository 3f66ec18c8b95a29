"""What policies say in packets: a simulated cluster against an evaluator written from Kubernetes' documentation."""
