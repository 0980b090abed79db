"""The HTTP server: how it listens, what it reads, and which headers it answers with."""
