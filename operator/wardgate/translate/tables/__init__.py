"""RouteTables, read one by one."""
