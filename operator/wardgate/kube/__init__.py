"""The one package that talks to the API server: watches, the config Secrets, statuses, the Lease."""
