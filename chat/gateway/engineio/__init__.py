"""Engine.IO: sessions over polling and websocket. Knows nothing of Socket.IO."""
