"""python-socketio's room manager with two indexes more: whom a room's packets go to, and which
rooms a socket is in.

The library walks all rooms of the server when one socket goes, and copies a room for each emit.
"""

from typing import Any

import socketio


class RoomManager(socketio.AsyncManager):
    """Leans on python-socketio 5.18: BaseManager.basic_enter_room, basic_leave_room,
    basic_disconnect.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rooms_of: dict[str, set[Any]] = {}
        self._receivers: dict[tuple[str, Any], list[Any]] = {}

    def receivers(self, namespace: str, room: str) -> list[Any]:
        """The sessions of everybody in the room; the same list until somebody comes or goes."""
        key = (namespace, room)
        found = self._receivers.get(key)
        if found is None:
            sessions = self.server.eio.sockets
            found = self._receivers[key] = [
                sessions[session_id]
                for _, session_id in self.get_participants(namespace, room)
                if session_id in sessions
            ]
        return found

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault(sid, set()).add(room)
        self._receivers.pop((namespace, room), None)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        super().basic_leave_room(sid, namespace, room)
        self._receivers.pop((namespace, room), None)
        rooms = self._rooms_of.get(sid)
        if rooms is not None:
            rooms.discard(room)
            if not rooms:
                del self._rooms_of[sid]

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        # The room of all (None) last: the others are looked up by it.
        for room in sorted(self._rooms_of.get(sid, ()), key=lambda room: room is None):
            self.basic_leave_room(sid, namespace, room)
        for waiting in (self.pending_connect, self.pending_disconnect):
            sockets = waiting.get(namespace)
            if sockets is not None and sid in sockets:
                sockets.remove(sid)
                if not sockets:
                    del waiting[namespace]
        self.callbacks.pop(sid, None)
