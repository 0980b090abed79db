"""Events and acks of the namespaces of plugins: each event runs in a task of its own."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import socketio
import structlog
from socketio.packet import ACK, BINARY_ACK

from chat.errors import ChatError, ErrorCode
from chat.gateway.socketio.events import fits, fitting
from chat.gateway.socketio.packets import ClientPacket, MalformedPacket
from chat.gateway.socketio.session import ClientSession
from chat.hooks.calls import crashes_only
from chat.services.refusals import counts

MAX_RUNNING_EVENTS: Final = 100
"""Events of one session that may run at once."""

_log = structlog.get_logger("chat.transport")


class PluginEvents:
    """Runs what a session sends to a plugin's namespace.

    `charge(session, namespace, cost)` makes a session pay for a refusal.
    """

    def __init__(
        self, server: socketio.AsyncServer, charge: Callable[[ClientSession, str, float], None]
    ) -> None:
        self._server = server
        self._charge = charge
        self._running: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, session: ClientSession, socket_id: str, packet: ClientPacket) -> None:
        """Run an event or an ack that has all its attachments."""
        if packet.kind in (ACK, BINARY_ACK):
            work = self._take_ack(socket_id, packet)
        elif self._running[session.sid] < MAX_RUNNING_EVENTS:
            self._running[session.sid] += 1
            work = self._run(session, socket_id, packet)
        else:
            raise MalformedPacket("too many events running")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Cancel the tasks that still run."""
        for task in self._tasks:
            task.cancel()

    async def _run(self, session: ClientSession, socket_id: str, packet: ClientPacket) -> None:
        handler = self._server.namespace_handlers[packet.namespace]
        name, *args = packet.data
        try:
            taken = fitting(getattr(handler, f"on_{name}", None), socket_id, args)
            if taken is None:
                raise ChatError(ErrorCode.VALIDATION_ERROR, "the event takes other arguments")
            with crashes_only():
                answer = await handler.trigger_event(name, socket_id, *taken)
            if packet.ack_id is not None and answer is not self._server.not_handled:
                await self._answer(session, packet, answer)
        except ChatError as error:
            await self.refuse(session, packet, error)
        except Exception:  # noqa: BLE001  # a plugin's crash ends nothing but its event
            crash = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
            _log.exception("event_crashed", namespace=packet.namespace, request_id=crash.request_id)
            await self.refuse(session, packet, crash)
        finally:
            self._running[session.sid] -= 1
            if not self._running[session.sid]:
                del self._running[session.sid]

    async def refuse(self, session: ClientSession, packet: ClientPacket, error: ChatError) -> None:
        """Answer an event with an error, if it asks for an ack, and charge the session."""
        _log.warning(
            "refused",
            namespace=packet.namespace,
            code=error.code.value,
            door="socket",
            request_id=error.request_id,
        )
        if packet.ack_id is not None:
            await self._answer(session, packet, error.to_answer())
        if session.sid in self._server.eio.sockets and counts(error):
            self._charge(session, packet.namespace, 1)

    async def _answer(self, session: ClientSession, packet: ClientPacket, answer: object) -> None:
        values = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        await self._server._send_packet(
            session.sid,
            self._server.packet_class(
                ACK, namespace=packet.namespace, id=packet.ack_id, data=values
            ),
        )

    async def _take_ack(self, socket_id: str, packet: ClientPacket) -> None:
        # Id 0 is no ack: the library keeps its counter there.
        callback = packet.ack_id and self._server.manager.callbacks.get(socket_id, {}).get(
            packet.ack_id
        )
        if not callback or not fits(callback, *packet.data):
            return
        try:
            await self._server.manager.trigger_callback(socket_id, packet.ack_id, packet.data)
        except Exception:  # noqa: BLE001  # as above
            _log.exception("ack_crashed", namespace=packet.namespace)
