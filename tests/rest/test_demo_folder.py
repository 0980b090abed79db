"""Which folders demo mode opens: those that it made, and those without a chat. A lost JWT_SECRET
opens no other.
"""

import pytest

from chat.errors import SetupError
from chat.testing import running_chat
from tests.support.rest.errors import assert_succeeded


def demo(folder, **settings):
    """A server without a key on this folder."""
    return running_chat(jwt_secret=None, data_dir=folder, **settings)


def host(folder, **settings):
    """A server with the host's key on this folder."""
    return running_chat(data_dir=folder, **settings)


async def sign_in(chat):
    return assert_succeeded(await chat.request("POST", "/demo/token", None, json={"name": "Ada"}))


async def refusal(folder):
    """What a start without a key says."""
    with pytest.raises(SetupError) as caught:
        async with demo(folder):
            pass
    said = str(caught.value)
    assert said.startswith("JWT_SECRET is not set")
    assert str(folder) in said
    assert "set JWT_SECRET as before" in said
    assert "\n" not in said
    assert said.endswith(".")
    assert not (folder / "demo.key").exists()


async def test_a_folder_that_the_host_has_used_is_never_opened(tmp_path):
    """Its chats would be anybody's who asks; with the secret back all is as before."""
    async with host(tmp_path) as chat:
        chat_id = await chat.create_chat([1, 2])
    await refusal(tmp_path)
    async with host(tmp_path) as chat:
        assert (await chat.request("GET", f"/chats/{chat_id}", 1)).status == 200


async def test_a_folder_in_which_nobody_has_made_a_chat_becomes_a_demo(tmp_path):
    """A server that was only started with a key has left nothing that could be given away."""
    async with host(tmp_path):
        pass
    for _ in range(2):
        async with demo(tmp_path) as chat:
            await sign_in(chat)


async def test_a_demo_that_the_host_has_taken_over_is_over(tmp_path):
    """From its first start with a key on, the folder holds what is real."""
    async with demo(tmp_path) as chat:
        made = await sign_in(chat)
    async with host(tmp_path) as chat:
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert (await chat.request("GET", "/chats", None, headers=headers)).status == 401
    await refusal(tmp_path)


async def test_a_folder_beside_a_mongodb_is_not_opened(tmp_path, mongodb_uri):
    """The server has lost all of its variables, MONGODB_URI too."""
    async with host(tmp_path, mongodb_uri=mongodb_uri):
        pass
    await refusal(tmp_path)


async def test_a_folder_of_something_else_is_not_opened(tmp_path):
    """What is in there is not known."""
    (tmp_path / "orders.sqlite").write_text("x")
    await refusal(tmp_path)


@pytest.mark.parametrize("names", [[], [".gitkeep", "lost+found"]])
async def test_an_empty_folder_becomes_a_demo(tmp_path, names):
    """What a file system or a version control needs in it does not count."""
    for name in names:
        (tmp_path / name).touch()
    async with demo(tmp_path) as chat:
        made = await sign_in(chat)
    async with demo(tmp_path) as chat:
        assert (await sign_in(chat))["chatId"] == made["chatId"]


async def test_an_operator_can_say_that_all_of_it_is_a_demo(tmp_path):
    """By the empty file that the refusal names; the key in it is random all the same."""
    async with host(tmp_path) as chat:
        await chat.create_chat([1, 2])
    await refusal(tmp_path)
    (tmp_path / "demo.key").touch()
    async with demo(tmp_path) as chat:
        await sign_in(chat)
    assert len((tmp_path / "demo.key").read_text()) >= 32


async def test_a_demo_of_an_earlier_version_goes_on(tmp_path):
    """0.1.x called the file demo-secret: the same chat, and tokens stay good."""
    async with demo(tmp_path) as chat:
        made = await sign_in(chat)
    (tmp_path / "demo.key").rename(tmp_path / "demo-secret")
    for _ in range(2):
        async with demo(tmp_path) as chat:
            headers = {"Authorization": f"Bearer {made['token']}"}
            assert_succeeded(await chat.request("GET", "/chats", None, headers=headers))
    assert (tmp_path / "demo.key").exists()
    assert not (tmp_path / "demo-secret").exists()


async def test_a_demo_of_an_earlier_version_that_may_be_more_is_not_opened(tmp_path):
    """0.1.x did not say whether a key was used after it: another chat may be the host's."""
    async with demo(tmp_path) as chat:
        await sign_in(chat)
        token = {"Authorization": f"Bearer {(await sign_in(chat))['token']}"}
        another = await chat.request("POST", "/chats", None, json={"title": "x"}, headers=token)
        assert another.status == 201
    (tmp_path / "demo.key").rename(tmp_path / "demo-secret")
    await refusal(tmp_path)
    assert (tmp_path / "demo-secret").exists()
