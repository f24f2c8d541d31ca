"""The keys of policies: looked up, counted, and compared with the policies' requirements."""
