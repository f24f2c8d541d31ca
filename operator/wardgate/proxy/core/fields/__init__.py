"""Header fields of a message: compared by folded names, ended at this hop, freed of copies of a key."""
