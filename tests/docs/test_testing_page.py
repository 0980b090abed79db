"""The example of docs/testing-plugins.md: the check below is shown there word for word."""

import sys

import pytest

from chat.errors import SetupError
from chat.testing import running_chat
from docs.examples.house_rules import HouseRules


async def check_that_house_rules_refuse_banned_words():
    rules = HouseRules(HouseRules.Settings(banned="spam"))
    async with running_chat(plugins=[rules], custom_events=["messageReported"]) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)

        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "Spam!"})
        assert refused["error"]["code"] == "REJECTED"

        await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello"})
        pushed = await grace.next("newMessage")
        assert pushed["message"]["message"] == "Hello"

        await grace.call("reportMessage", {"messageId": pushed["message"]["id"], "reason": "rude"})
        assert (await ada.next("messageReported"))["by"] == 2

        tally = await chat.request("GET", "/house-rules", 9, "admin")
        assert tally.data == {"refused": {"1": 1}}


async def test_the_example_of_the_testing_page_passes():
    """What plugin authors are shown works as it stands, with a store of its own."""
    await check_that_house_rules_refuse_banned_words()


async def test_without_aiohttp_it_says_what_to_install(serve, monkeypatch):
    """REST calls work without the extra; a socket needs it."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    async with serve() as chat:
        assert (await chat.request("GET", "/chats")).status == 200
        with pytest.raises(SetupError, match=r"pip install 'chatgateway\[testing\]'"):
            await chat.connect(1)
