"""Services as NAT44: static and load-balanced mappings, and what interfaces and addresses are to NAT."""
