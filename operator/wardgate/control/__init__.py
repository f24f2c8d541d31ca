"""The operator's process: what is watched is translated, published and reported."""
