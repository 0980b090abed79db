"""Websocket connections that skip the libraries' tasks and queues.

Tornado does HTTP, the checks before the upgrade and the 101; then the socket leaves Tornado for a
WireConnection on the same loop. python-socketio keeps its public API. See docs/adr/0007.
"""
