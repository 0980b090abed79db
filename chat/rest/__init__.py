"""The REST door: Tornado RequestHandlers over the same services as the sockets."""
