"""Every test of the socket door runs on both transports."""

from tests.support.both_transports import chat_transport, serve

__all__ = ["chat_transport", "serve"]
