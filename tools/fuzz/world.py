"""What the attackers find on the server, and what they know of others: the ids and tokens that the
generators put into frames.
"""

from dataclasses import dataclass

from chat.auth import mint
from chat.clock import SystemClock
from tests.support.server_process import SECRET, ServerProcess

ATTACKERS = (1, 2, 3, 4)
WITNESS = 50
CANARIES = (101, 102, 103)
VALID_S = 7200


@dataclass(frozen=True, slots=True)
class World:
    """`chat_ids` and `message_ids` are the attackers' own; the foreign ones are the canaries'."""

    chat_ids: tuple[int, ...]
    message_ids: tuple[int, ...]
    foreign_chat_id: int
    foreign_message_id: int
    tokens: tuple[str, ...]
    bad_tokens: tuple[str, ...]
    epoch: str


def token(user_id: int, secret: str = SECRET, valid_s: float = VALID_S) -> str:
    made, _ = mint(secret, user_id, user_type="employee", clock=SystemClock(), valid_s=valid_s)
    return made


async def make_world(server: ServerProcess) -> World:
    """Two chats of the attackers and the witness, one of the canaries, with something said in
    each.
    """
    chat_ids = tuple([await _chat(server, (*ATTACKERS, WITNESS)) for _ in range(2)])
    foreign = await _chat(server, CANARIES)
    stats = await server.request("GET", "/admin/stats", "host")
    good = token(ATTACKERS[0])
    return World(
        chat_ids=chat_ids,
        message_ids=tuple(
            [await _message(server, ATTACKERS[0], chat_ids[n % 2]) for n in range(6)]
        ),
        foreign_chat_id=foreign,
        foreign_message_id=await _message(server, CANARIES[0], foreign),
        tokens=tuple(token(each) for each in ATTACKERS),
        bad_tokens=(
            token(1, secret="of-somebody-else-who-is-not-asked-for-one"),
            token(1, valid_s=-60),
            good[:-3] + "AAA",
            good.partition(".")[0],
            "eyJhbGciOiJub25lIn0.eyJzdWIiOjF9.",
            "x" * 9_000,
            "",
        ),
        epoch=stats[1]["data"]["epoch"],
    )


async def _chat(server: ServerProcess, user_ids: tuple[int, ...]) -> int:
    body = {"type": "group", "participantIds": list(user_ids)}
    _, answer = await server.request("POST", "/chats", "host", body)
    return int(answer["data"]["id"])


async def _message(server: ServerProcess, user_id: int, chat_id: int) -> int:
    body = {"chatId": chat_id, "content": "hello"}
    _, answer = await server.request("POST", "/chat-messages", user_id, body)
    return int(answer["data"]["id"])
