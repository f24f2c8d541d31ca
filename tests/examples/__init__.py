"""The examples, run as a newcomer runs them: real processes, real TLS, the providers' own clients."""
