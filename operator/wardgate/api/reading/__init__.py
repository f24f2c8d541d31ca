"""From a manifest to a kind, or to problems that name the field and the remedy."""
