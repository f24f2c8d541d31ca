"""The kinds that users write, and the annotations and Secrets beside them."""
