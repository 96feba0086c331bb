"""What do people read? Documents, tables and their renderers."""
