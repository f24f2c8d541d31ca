"""The documents against the product: every command that they show is run, every manifest is checked."""
