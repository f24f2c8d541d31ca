"""Lists and watches of what the operator reads, and the objects that they bring."""
