"""The socket door: Socket.IO on Tornado, and who is connected."""
