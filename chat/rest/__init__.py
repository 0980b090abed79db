"""REST: Tornado handlers over the same services as the sockets."""
