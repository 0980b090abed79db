"""The one funnel through which every client event goes: check, dispatch, answer.

It never raises and always answers: a bad payload, an unknown event, a crash and a refusal all
become the one error model of the contract, as an ack where one was asked for, else as the pushed
`error` event.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog
from pydantic import BaseModel

from chat.contracts.base import parse
from chat.contracts.client_events import CLIENT_EVENTS, Event
from chat.contracts.pushes import error_event
from chat.errors import ChatError, ErrorCode, SetupError
from chat.gateway.connections import Connection
from chat.gateway.fanout import Fanout
from chat.gateway.handlers import Answer, Handler
from chat.gateway.inbox import ReceivedEvent
from chat.hook_events import Action, ActionDone, ClientEvent
from chat.hookspecs import after_action, before_action
from chat.plugin_manager import PluginManager
from chat.ports import Clock
from chat.services.access import AccessService

PLUGIN_EVENT_TIMEOUT_S: Final = 5.0
"""A plugin's event holds up the later ones of its socket, and has to end before the ack's deadline.
"""

_log = structlog.get_logger("chat.gateway")


class Funnel:
    def __init__(
        self,
        *,
        handlers: dict[str, Handler],
        plugin_events: Sequence[ClientEvent],
        fanout: Fanout,
        hooks: PluginManager,
        access: AccessService,
        clock: Clock,
    ) -> None:
        self._fanout = fanout
        self._hooks = hooks
        self._access = access
        self._clock = clock
        self._handlers = dict(handlers)
        self._models: dict[str, type[BaseModel] | None] = dict(CLIENT_EVENTS)
        for each in plugin_events:
            if each.name in self._handlers:
                raise SetupError(
                    f"a plugin registers the event {each.name!r}, which there is already."
                )
            self._handlers[each.name] = partial(_run_plugin_event, each)
            self._models[each.name] = each.model

    def received(
        self, connection: Connection, name: Any, args: list[Any], ack_id: int | None
    ) -> ReceivedEvent:
        """Start the deadline of an event that has just come in."""
        # A name that is no text is nobody's event; it may even be no key of a dict.
        known = name if isinstance(name, str) else None
        return ReceivedEvent(
            known, args, ack_id, partial(self._reply, connection), partial(self._expire, connection)
        )

    async def handle(self, connection: Connection, event: ReceivedEvent) -> None:
        """Run one event to its answer, or until it only waits for the disk."""
        try:
            answer = await self._dispatch(connection, event)
            if isinstance(answer, asyncio.Future):
                answer.add_done_callback(partial(self._stored, connection, event))
            else:
                self._succeed(connection, event, answer)
        except ChatError as error:
            self.refuse(connection, event, error)
        except Exception:  # noqa: BLE001  # the first of the three funnels: always an answer
            self.refuse(connection, event, _crashed(event))

    def refuse(self, connection: Connection, event: ReceivedEvent, error: ChatError) -> None:
        """Answer with an error: by ack, or by the pushed `error` where no ack was asked for."""
        if not event.answer(error.to_answer()):
            return
        if event.ack_id is None and not connection.closed:
            known = event.name if event.name in self._handlers else None
            pushed = error_event(error, known)
            self._fanout.to_session(connection.session_id, pushed.name, pushed.payload)
        self._tell(connection, event, error)

    async def _dispatch(
        self, connection: Connection, event: ReceivedEvent
    ) -> Answer | asyncio.Future[Answer]:
        handler = self._handlers.get(event.name)
        if handler is None:
            raise ChatError(ErrorCode.UNKNOWN_EVENT, "there is no such event")
        identity = connection.identity
        if identity.expires_at <= self._clock.now() and event.name != Event.AUTHENTICATE:
            raise ChatError(
                ErrorCode.TOKEN_EXPIRED, "the token has expired; authenticate with a new one"
            )
        # Of somebody who was cut off, what waited is not done any more.
        self._access.check(identity)
        payload = _payload(self._models[event.name], event.args)
        if self._hooks.has(before_action):
            action = Action(
                name=event.name,
                identity=identity,
                door="socket",
                remote_ip=connection.remote_ip,
                payload=payload,
            )
            action = await self._hooks.filter(before_action, action)
            # A replaced payload is what runs, if it still is one of this event.
            if type(action.payload) is type(payload):
                payload = action.payload
        return await handler(connection, payload)

    def _stored(
        self, connection: Connection, event: ReceivedEvent, done: asyncio.Future[Answer]
    ) -> None:
        if done.cancelled():
            error: BaseException | None = ChatError(
                ErrorCode.SHUTTING_DOWN, "the server is restarting"
            )
        else:
            error = done.exception()
        if error is None:
            self._succeed(connection, event, done.result())
        elif isinstance(error, ChatError):
            self.refuse(connection, event, error)
        else:
            self.refuse(connection, event, _crashed(event, error))

    def _succeed(self, connection: Connection, event: ReceivedEvent, answer: Answer) -> None:
        if event.answer(answer):
            self._tell(connection, event, None)

    def _expire(self, connection: Connection, event: ReceivedEvent) -> None:
        outcome = "its outcome is unknown" if event.begun else "it was not begun"
        error = ChatError(
            ErrorCode.TIMEOUT, f"not done in time, {outcome}; try again", retry_after_s=1
        )
        self.refuse(connection, event, error)

    def _reply(self, connection: Connection, event: ReceivedEvent, reply: Answer) -> None:
        if event.ack_id is not None:
            self._fanout.ack(connection.session_id, event.ack_id, reply)

    def _tell(self, connection: Connection, event: ReceivedEvent, error: ChatError | None) -> None:
        if not self._hooks.has(after_action):
            return
        done = ActionDone(
            name=event.name if event.name in self._handlers else None,
            identity=connection.identity,
            door="socket",
            remote_ip=connection.remote_ip,
            code=error.code if error else None,
            request_id=error.request_id if error else None,
            duration_s=asyncio.get_running_loop().time() - event.received_at,
        )
        self._hooks.notify_soon(after_action, done)


def _payload(model: type[BaseModel] | None, args: list[Any]) -> BaseModel | None:
    """The one argument as a model. None given = an empty one."""
    if model is None:
        return None
    if len(args) > 1:
        raise ChatError(ErrorCode.VALIDATION_ERROR, f"one argument is expected, {len(args)} came")
    value = args[0] if args and args[0] is not None else {}
    return parse(model, value)


def _crashed(event: ReceivedEvent, cause: BaseException | None = None) -> ChatError:
    error = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
    _log.error(
        "event_crashed", event_name=event.name, request_id=error.request_id, exc_info=cause or True
    )
    return error


async def _run_plugin_event(each: ClientEvent, connection: Connection, payload: Any) -> Answer:
    try:
        async with asyncio.timeout(PLUGIN_EVENT_TIMEOUT_S):
            return await each.handler(connection.identity, payload)
    except TimeoutError:
        raise ChatError(
            ErrorCode.TIMEOUT, "not done in time, its outcome is unknown; try again"
        ) from None
