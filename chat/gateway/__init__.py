"""Socket.IO on Tornado, and the registry of who is connected."""
