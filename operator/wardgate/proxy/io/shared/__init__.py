"""The parts that the connections of a worker share, each part with its owner."""
