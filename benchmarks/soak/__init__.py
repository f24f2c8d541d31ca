"""Long trials of the data plane under load, one module each. ``python -m benchmarks.soak --help`` lists them."""
