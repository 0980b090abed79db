"""The HTTP server: its sockets, the bodies that it reads, and the headers of its answers."""
