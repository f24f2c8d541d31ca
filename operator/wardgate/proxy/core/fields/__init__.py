"""Header fields of a message: which end at this hop, which are one header, which hold a copy of a key."""
