"""What do machines read? Prometheus exposition, dashboards, alert rules; JUnit, SARIF and OCSF."""
