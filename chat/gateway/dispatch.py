"""The one path of every client event: check, dispatch, answer.

The dispatcher never raises and always answers. A bad payload, an unknown event, a crash and a
refusal all become the contract's one error model. The client gets it in the ack if it asked for
one, otherwise as the pushed event `error`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from pydantic import BaseModel

from chat.contracts.acks import sent
from chat.contracts.base import parse
from chat.contracts.client_events import NAMESPACE, Event
from chat.contracts.operations import CLIENT_EVENTS
from chat.contracts.pushes import error_event
from chat.errors import ChatError, ErrorCode, SetupError
from chat.gateway.fanout import Fanout
from chat.gateway.handlers import Answer, Handler
from chat.gateway.hub import Connection, Hub
from chat.gateway.inbox import ReceivedEvent, Workers
from chat.gateway.socketio.patience import Patience
from chat.gateway.socketio.session import ClientSession
from chat.gateway.timers import Deadlines
from chat.hooks.calls import crashes_only
from chat.hooks.events import Action, ActionDone, ClientEvent
from chat.hooks.manager import Brought, PluginManager
from chat.hooks.specs import after_action, after_refusal, before_action
from chat.ports import Clock
from chat.services.access import AccessService
from chat.services.audit import AUDITED, OF_MESSAGES, Audit, objects_of
from chat.services.journal.entries import Sent
from chat.services.journal.outcome import Outcome
from chat.services.refusals import counts, price_of_event
from chat.timings import Timings

Received = ReceivedEvent[Connection]

_log = structlog.get_logger("chat.gateway")


@dataclass(frozen=True, slots=True)
class Route:
    """The handler and the model of an event; `asks_plugins`: plugins see the event first."""

    handler: Handler
    model: type[BaseModel] | None
    asks_plugins: bool


class Dispatcher:
    """Takes the events of all sockets.

    `max_waiting` and `max_waiting_bytes` bound the waiting events of one socket.
    """

    def __init__(
        self,
        *,
        handlers: dict[str, Handler],
        plugin_events: Sequence[Brought],
        hub: Hub,
        fanout: Fanout,
        patience: Patience,
        hooks: PluginManager,
        access: AccessService,
        audit: Audit,
        clock: Clock,
        max_waiting: int,
        max_waiting_bytes: int,
        timings: Timings,
    ) -> None:
        self._hub = hub
        self._fanout = fanout
        self._patience = patience
        self._hooks = hooks
        self._access = access
        self._audit = audit
        self._clock = clock
        self._workers = Workers(self._handle, max_waiting, max_waiting_bytes)
        self._deadlines = Deadlines(timings.ack_deadline_s, self._expire)
        self._routes: dict[str | None, Route] = {
            name: Route(handler, CLIENT_EVENTS[name].model, hooks.asks_about(name))
            for name, handler in handlers.items()
        }
        for plugin, each in plugin_events:
            if not isinstance(each, ClientEvent):
                raise SetupError(
                    f"plugin {plugin!r} registers a {type(each).__name__} as an event; "
                    "it has to be a ClientEvent."
                )
            if each.name in self._routes:
                raise SetupError(
                    f"plugin {plugin!r} registers the event {each.name!r}, which there is already."
                )
            handler = partial(_run_plugin_event, each, timings.plugin_event_s)
            self._routes[each.name] = Route(handler, each.model, hooks.asks_about(each.name))
        # All plugins are loaded by now.
        self._tells_of_all = hooks.has(after_action)
        self._tells_of_refusals = hooks.has(after_refusal)

    def receive(
        self, session: ClientSession, data: list[object], ack_id: int | None, size: int
    ) -> bool:
        """Take one event; returns False if too many wait, and the caller then ends the session."""
        connection = self._hub.get(session.sid)
        if connection is None or connection.closed:
            return True  # the socket is closing
        name = data[0]
        event = ReceivedEvent(
            connection, name if isinstance(name, str) else None, data, ack_id, size
        )
        if not self._workers.put(connection.inbox, event):
            return False
        self._deadlines.watch(event, event.received_at)
        return True

    def refuse(
        self, session: ClientSession, ack_id: int | None, error: ChatError, size: int
    ) -> None:
        """Answer an event that could not be read."""
        connection = self._hub.get(session.sid)
        if connection is not None:
            self._answer_error(ReceivedEvent(connection, None, [], ack_id, size), error)

    def drop(self, session: ClientSession) -> None:
        """Discard the socket's waiting events: the server is closing the socket."""
        connection = self._hub.get(session.sid)
        if connection is not None:
            for event in connection.inbox.drop():
                event.answered = True
                self._deadlines.forget(event)

    def stop(self) -> None:
        self._workers.stop()
        self._deadlines.stop()

    async def _handle(self, event: Received) -> None:
        """Run one event until it is answered, or until its answer only waits for the disk."""
        try:
            route = self._routes.get(event.name)
            if route is None:
                raise ChatError(ErrorCode.UNKNOWN_EVENT, "there is no such event")
            self._check_sender(event)
            payload = _payload(route.model, event.data)
            if route.asks_plugins:
                payload = await self._ask_plugins(event, payload)
            event.payload = payload
            answer = await route.handler(event.connection, payload)
            if isinstance(answer, Outcome):
                answer.add_done_callback(partial(self._settled, event))
            else:
                self._succeed(event, answer)
        except ChatError as error:
            self._answer_error(event, error)
        except Exception:  # noqa: BLE001  # every event is answered
            self._answer_error(event, _crashed(event))

    def _check_sender(self, event: Received) -> None:
        """Refuse an event if the token has expired or the user is blocked."""
        identity = event.connection.identity
        if identity.has_expired(self._clock.now()) and event.name != Event.AUTHENTICATE:
            raise ChatError(
                ErrorCode.TOKEN_EXPIRED, "the token has expired; authenticate with a new one"
            )
        # If a user was blocked meanwhile, the events that wait are not run.
        self._access.check(identity)

    async def _ask_plugins(self, event: Received, payload: BaseModel | None) -> BaseModel | None:
        """Return the payload as the plugins left it; raises the error of a plugin that refuses."""
        asked = Action(
            name=event.name or "",
            identity=event.connection.identity,
            door="socket",
            remote_ip=event.connection.remote_ip,
            payload=payload,
        )
        replaced = (await self._hooks.filter(before_action, asked)).payload
        if event.name != Event.AUTHENTICATE:
            # Checked again: the host may have blocked the user while the plugins were asked.
            self._access.check_still(asked.identity)
        # A plugin's payload replaces the client's only if it is of the same model.
        return replaced if type(replaced) is type(payload) else payload

    def _settled(self, event: Received, done: Outcome[Sent]) -> None:
        """Answer a message that waited for the disk."""
        error = done.exception()
        if error is not None:
            self._answer_error(event, error)
            return
        try:
            stored = done.result()
            self._succeed(event, sent(stored.message, stored.duplicate))
        except Exception as crash:  # noqa: BLE001  # as in _handle
            self._answer_error(event, _crashed(event, crash))

    def _succeed(self, event: Received, answer: Answer) -> None:
        if event.answered:
            return
        if event.ack_id is not None:
            # Before `_answered`: an answer that cannot be encoded is a crash, and needs an answer.
            self._fanout.ack(event.connection.session, event.ack_id, answer)
        self._answered(event, None)

    def _answer_error(self, event: Received, error: ChatError) -> None:
        """Answer with an error: by ack, or by the pushed `error` if no ack was asked for."""
        # The outcome holds the error, whose traceback refers to the outcome. Break the cycle, so
        # that neither waits for the garbage collector.
        error.__traceback__ = None
        if event.answered:
            return
        connection = event.connection
        if event.ack_id is not None:
            self._fanout.ack(connection.session, event.ack_id, error.to_answer())
        elif not connection.closed:
            known = event.name if event.name in self._routes else None
            self._fanout.to_session(connection.session, error_event(error, known))
        self._answered(event, error)
        identity = connection.identity
        if counts(error) and not identity.is_service:
            self._workers.count_refusal()
            cost = price_of_event(error, event.size)
            session = connection.session
            if self._patience.refused(session, NAMESPACE, identity.key, cost):
                self.drop(session)

    def _expire(self, event: Received) -> None:
        outcome = "its outcome is unknown" if event.begun else "it was not begun"
        error = ChatError(
            ErrorCode.TIMEOUT, f"not done in time, {outcome}; try again", retry_after_s=1
        )
        self._answer_error(event, error)

    def _answered(self, event: Received, error: ChatError | None) -> None:
        event.answered = True
        self._deadlines.forget(event)
        if event.name in AUDITED:
            self._write_down(event, error)
        if self._tells_of_all or (error is not None and self._tells_of_refusals):
            self._tell(event, error)

    def _write_down(self, event: Received, error: ChatError | None) -> None:
        # A handler that changes a message writes the entry itself: it knows the sender.
        if error is not None or event.name not in OF_MESSAGES:
            connection = event.connection
            self._audit.answered(
                event.name,
                connection.identity,
                objects_of(event.payload),
                error,
                door="socket",
                remote_ip=connection.remote_ip,
                request_id=error.request_id if error else None,
                socket_id=connection.socket_id,
            )

    def _tell(self, event: Received, error: ChatError | None) -> None:
        """Tell the plugins of an answer."""
        done = ActionDone(
            name=event.name if event.name in self._routes else None,
            identity=event.connection.identity,
            door="socket",
            remote_ip=event.connection.remote_ip,
            code=error.code if error else None,
            request_id=error.request_id if error else None,
            duration_s=asyncio.get_running_loop().time() - event.received_at,
        )
        self._hooks.notify_soon(after_action, done)
        if error is not None:
            self._hooks.notify_soon(after_refusal, done)


def _payload(model: type[BaseModel] | None, data: list[object]) -> BaseModel | None:
    """Read the event's one argument as a model; a missing one counts as an empty object.

    A client that calls `emit(name, payload, undefined)` sends a null for each `undefined`.
    """
    if model is None:
        return None
    if len(data) > 2 and any(each is not None for each in data[2:]):
        came = len(data) - 1
        raise ChatError(ErrorCode.VALIDATION_ERROR, f"one argument is expected, {came} came")
    value = data[1] if len(data) > 1 and data[1] is not None else {}
    return parse(model, value)


def _crashed(event: Received, cause: BaseException | None = None) -> ChatError:
    error = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
    _log.error(
        "event_crashed", event_name=event.name, request_id=error.request_id, exc_info=cause or True
    )
    return error


async def _run_plugin_event(
    each: ClientEvent, within_s: float, connection: Connection, payload: Any
) -> Answer:
    try:
        with crashes_only():
            async with asyncio.timeout(within_s):
                return await each.handler(connection.identity, payload)
    except TimeoutError:
        raise ChatError(
            ErrorCode.TIMEOUT, "not done in time, its outcome is unknown; try again"
        ) from None
