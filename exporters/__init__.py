"""What do machines read? Prometheus exposition, dashboards, alert rules."""
