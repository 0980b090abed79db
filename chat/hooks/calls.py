"""A method of a plugin that subscribes to a hook, and how it is called within its budget."""

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar, cast

import structlog

from chat.hooks.specs import Hook
from chat.identity import UserKey, named, user_key

FAILURES_UNTIL_OFF: Final = 5
USERS_UNTIL_OFF: Final = 3
OFF_FOR_S: Final = 30.0
MAX_BLAMED: Final = 1_000
"""Users whose failures a hookimpl remembers; the one who failed first is forgotten first."""

_log = structlog.get_logger("chat.plugins")

ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class _Blame:
    """The failures in a row that one user caused; forgotten OFF_FOR_S after the last of them."""

    in_row: int = 0
    until: float = 0.0

    def off_for_s(self, now: float) -> float:
        return self.until - now if self.in_row >= FAILURES_UNTIL_OFF else 0.0


@dataclass(slots=True, eq=False)
class HookImpl:
    """A method of a plugin, with its budget and its record.

    A failure counts against the user who caused the call. The method is switched off for a user
    after five failures of this user in a row, and for everybody after five failures in a row that
    come from three users or more, or from no user.
    """

    plugin: str
    method: Any
    hook: Hook[Any]
    timeout_s: float
    on_error: Literal["closed", "open"]
    failures: int = 0
    failures_in_row: int = 0
    off_until: float = 0.0
    besides: frozenset[str] = frozenset()
    troubled: bool = False
    """Whether there is a record that `off_for_s` or `succeeded` would read."""
    _blamed: dict[UserKey | None, _Blame] = field(default_factory=dict)
    _users_in_row: set[UserKey] = field(default_factory=set)

    @property
    def off(self) -> bool:
        """Whether the method is switched off for everybody for now, after too many failures."""
        return _now() < self.off_until

    @property
    def users_off(self) -> int:
        """For how many users the method is switched off for now."""
        now = _now()
        return sum(each.off_for_s(now) > 0 for each in self._blamed.values())

    def listens_to(self, event: object) -> bool:
        """Whether the method is called for the event.

        A plugin does not get the events that it caused: one that answers messages would otherwise
        answer itself for ever.
        """
        if self.besides and getattr(event, "name", None) in self.besides:
            return False
        return getattr(event, "origin", None) != self.plugin

    def off_for_s(self, event: object) -> float:
        """Return for how long the method is not called for such events; 0 if it is called."""
        now = _now()
        blame = self._blamed.get(_user_of(event))
        return max(0.0, self.off_until - now, blame.off_for_s(now) if blame else 0.0)

    def succeeded(self, event: object) -> None:
        """Forget the failures in a row, those of the event's user and those of all users."""
        self.failures_in_row = 0
        self._users_in_row.clear()
        blamed, now = self._blamed, _now()
        blamed.pop(_user_of(event), None)
        while blamed and blamed[oldest := next(iter(blamed))].until <= now:
            del blamed[oldest]
        self.troubled = bool(blamed)

    def caught(self, error: BaseException, event: object) -> None:
        """Count the exception of a call as a failure; raise it again if it is not the plugin's."""
        if not is_crash(error):
            raise error
        self.failed(error, event)

    def failed(self, error: BaseException, event: object) -> None:
        """Count a failure, log it, and switch the method off where it is one too many."""
        self.troubled = True
        self.failures += 1
        self.failures_in_row += 1
        what = "took too long" if isinstance(error, TimeoutError) else type(error).__name__
        user = _user_of(event)
        _log.error(
            "hook_failed",
            plugin=self.plugin,
            hook=self.hook.name,
            error=what,
            **named(user),
            in_row=self.failures_in_row,
            exc_info=None if isinstance(error, TimeoutError) else error,
        )
        if user is not None:
            self._blame(user)
        if self.failures_in_row >= FAILURES_UNTIL_OFF and (
            user is None or len(self._users_in_row) >= USERS_UNTIL_OFF
        ):
            self.off_until = _now() + OFF_FOR_S
            self.failures_in_row = 0
            self._users_in_row.clear()
            _log.error(
                "hook_switched_off", plugin=self.plugin, hook=self.hook.name, for_s=OFF_FOR_S
            )

    def _blame(self, user: UserKey) -> None:
        """Count a failure against the user who caused it."""
        if len(self._users_in_row) < USERS_UNTIL_OFF:
            self._users_in_row.add(user)
        now = _now()
        blame = self._blamed.pop(user, None)
        if blame is None or blame.until <= now:
            blame = _Blame()
        # Inserted again, so that the user who failed last is forgotten last.
        self._blamed[user] = blame
        if len(self._blamed) > MAX_BLAMED:
            del self._blamed[next(iter(self._blamed))]
        blame.in_row += 1
        blame.until = now + OFF_FOR_S
        if blame.in_row == FAILURES_UNTIL_OFF:
            _log.warning(
                "hook_switched_off_for_user",
                plugin=self.plugin,
                hook=self.hook.name,
                **named(user),
                for_s=OFF_FOR_S,
            )


def _user_of(event: object) -> UserKey | None:
    """Return the user who caused an event; None where there is none, as at the start."""
    identity = getattr(event, "identity", None)
    if identity is not None:
        return cast("UserKey", identity.key)
    message = getattr(event, "message", event)
    user_id = getattr(message, "user_id", getattr(message, "sender_id", None))
    return None if user_id is None else user_key(getattr(event, "tenant", ""), user_id)


def is_crash(error: BaseException) -> bool:
    """Whether an exception is the fault of the plugin that raised it.

    `sys.exit()` is, and the CancelledError of one of the plugin's own tasks, but not the
    cancellation of the task that called the plugin.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, Exception | SystemExit)


@contextmanager
def crashes_only() -> Iterator[None]:
    """Turn every crash of the plugin's code inside the block into an Exception.

    A SystemExit or CancelledError would pass all handlers and end the caller's task, or the server.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or not is_crash(error):
            raise
        raise RuntimeError(f"{type(error).__name__} in a plugin") from error


async def bounded(work: Coroutine[Any, Any, ResultT], within_s: float) -> ResultT:
    """Run a coroutine in a task of its own and return its result; TimeoutError after `within_s`.

    Returns in time even if the coroutine swallows its cancellation. A task is too expensive for
    what is called often.
    """

    async def run() -> ResultT:
        with crashes_only():
            return await work

    task = asyncio.get_running_loop().create_task(run())
    try:
        await asyncio.wait([task], timeout=within_s)
        if not task.done():
            raise TimeoutError(f"not done within {within_s:g} s")
        return task.result()
    finally:
        task.cancel()


async def call(impl: HookImpl, event: Any) -> Any:
    """Call a hookimpl and return its result; TimeoutError beyond its budget.

    The clock starts when the plugin first waits for something. Most never do: they take 0.5 us, and
    a timeout that is set up and taken down again would add 4 us.
    """
    running = impl.method(event)
    try:
        awaited = running.send(None)
    except StopIteration as done:
        return done.value
    async with asyncio.timeout(impl.timeout_s):
        return await _Rest(running, awaited)


class _Rest:
    """The rest of a coroutine that has begun and waits for `awaited`."""

    __slots__ = ("_awaited", "_running")

    def __init__(self, running: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._running = running
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited = self._awaited
        while True:
            try:
                try:
                    sent = yield awaited
                except BaseException as error:  # noqa: BLE001  # a cancellation is the plugin's too
                    awaited = self._running.throw(error)
                else:
                    awaited = self._running.send(sent)
            except StopIteration as done:
                return done.value


def _now() -> float:
    return asyncio.get_running_loop().time()
