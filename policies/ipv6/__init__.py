"""IPv6 readiness: what only several facts together tell, for indicators and for ``report ipv6``."""
