"""Socket.IO: packets, namespaces and rooms. Knows nothing of `/chat`."""
