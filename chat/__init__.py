"""ChatGateway: real-time chat beside your own application, in one process."""

__version__ = "0.2.0"
