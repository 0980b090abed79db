"""Hookimpls that are begun by hand, beside the same ones awaited as coroutines are."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.errors import ChatError, ErrorCode
from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    MessageDraft,
    Plugin,
    Reject,
    before_message_send,
    hookimpl,
)
from tests.support.virtual_time import run

DRAFT = MessageDraft(
    chat_id=1, sender_id=1, sender_type="employee", content="", client_message_id=None
)
BUDGET_S = 2.0

wait = st.one_of(
    st.just("turn"),
    st.just("future"),
    st.just("task"),
    st.just("timeout"),
    st.just("gather"),
    st.tuples(st.just("sleep"), st.sampled_from([0.5, 5.0])),
)
end = st.sampled_from(["change", "nothing", "reject", "crash", "stop iteration", "wrong type"])
script = st.tuples(st.lists(wait, max_size=3), end, st.booleans())
"""What a hookimpl waits for, how it ends, and whether it catches what is thrown into it."""


async def _wait_for(what: Any) -> None:
    loop = asyncio.get_running_loop()
    # Sleeps are among the things to wait for; they are what is tried here.
    if what == "turn":
        await asyncio.sleep(0)
    elif what == "future":
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future
    elif what == "task":
        assert asyncio.current_task() is not None
        await loop.create_task(asyncio.sleep(0))
    elif what == "timeout":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.sleep(3)
    elif what == "gather":
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.1))
    else:
        await asyncio.sleep(what[1])


async def _play(mark: str, said: list[str], scripted: Any, draft: MessageDraft) -> Any:
    waits, how, catches = scripted
    try:
        for each in waits:
            await _wait_for(each)
            said.append(f"{mark} {each}")
    except asyncio.CancelledError:
        said.append(f"{mark} was cancelled")
        if not catches:
            raise
    finally:
        said.append(f"{mark} is done")
    if how == "reject":
        raise Reject(ErrorCode.REJECTED, mark)
    if how == "crash":
        raise RuntimeError(mark)
    if how == "stop iteration":
        raise StopIteration
    if how == "wrong type":
        return mark
    return replace(draft, content=draft.content + mark) if how == "change" else None


def _plugin(mark: str, said: list[str], scripted: Any, on_error: str) -> Plugin:
    class Scripted(Plugin):
        name = f"plugin_{mark}"

        @hookimpl(before_message_send, timeout_s=BUDGET_S, on_error=on_error)
        async def play(self, draft: MessageDraft) -> Any:
            return await _play(mark, said, scripted, draft)

    return Scripted()


async def _plainly(said: list[str], scripts: list[Any], on_error: str) -> Any:
    """What the manager promises, awaited in the ordinary way."""
    draft = DRAFT
    for mark, scripted in zip("abc", scripts, strict=False):
        try:
            async with asyncio.timeout(BUDGET_S):
                changed = await _play(mark, said, scripted, draft)
            if not isinstance(changed, MessageDraft | None):
                raise TypeError(changed)
        except ChatError as error:
            return error.code, error.message
        except Exception:  # noqa: BLE001  # as the manager does
            if on_error == "closed":
                return ErrorCode.PLUGIN_ERROR
        else:
            draft = changed or draft
    return draft.content


async def _by_hand(said: list[str], scripts: list[Any], on_error: str) -> Any:
    plugins = [_plugin(*each, on_error) for each in _parts(said, scripts)]
    try:
        return (await PluginManager(plugins).filter(before_message_send, DRAFT)).content
    except ChatError as error:
        if error.code is ErrorCode.PLUGIN_ERROR:
            return error.code
        return error.code, error.message


def _parts(said: list[str], scripts: list[Any]) -> list[tuple[str, list[str], Any]]:
    return [(mark, said, each) for mark, each in zip("abc", scripts, strict=False)]


@pytest.mark.expects_errors
@settings(max_examples=150, deadline=None)
@given(st.lists(script, max_size=3), st.sampled_from(["open", "closed"]))
def test_hookimpls_do_what_they_would_do_awaited(scripts, on_error) -> None:
    """Whether they wait or not, for whatever, and however they end; also beyond their budget."""
    ours: list[str] = []
    plain: list[str] = []
    assert run(_by_hand(ours, scripts, on_error)) == run(_plainly(plain, scripts, on_error))
    assert ours == plain


@pytest.mark.expects_errors
@settings(max_examples=100, deadline=None)
@given(st.lists(wait, max_size=3), st.booleans(), st.floats(0, 3))
def test_a_cancellation_reaches_the_hookimpl_that_waits(waits, catches, after_s) -> None:
    """Where and when it would, if it were awaited."""

    async def cancelled(work: Any) -> Any:
        task = asyncio.get_running_loop().create_task(work)
        asyncio.get_running_loop().call_later(after_s, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return "cancelled"

    scripts = [(waits, "change", catches)]
    ours: list[str] = []
    plain: list[str] = []
    found = run(cancelled(_by_hand(ours, scripts, "open")))
    assert found == run(cancelled(_plainly(plain, scripts, "open")))
    assert ours == plain
