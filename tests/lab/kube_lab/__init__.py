"""A lab of two real Kubernetes API servers, one old and one current, without nodes and on loopback only."""
