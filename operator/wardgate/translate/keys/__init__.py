"""The keys of policies: looked up, counted, and judged against what the policies ask of them."""
