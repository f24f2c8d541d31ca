"""RouteTables: read one by one, delegated, merged and put in order."""
