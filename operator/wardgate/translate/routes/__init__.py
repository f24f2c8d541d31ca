"""RouteTables put in their places: delegated, merged, and ordered under each host of each listener."""
