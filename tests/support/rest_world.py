"""Who may do what: the people of the authorisation matrix, and a chat in which each of them has a
place.
"""

from dataclasses import dataclass
from typing import Any, Final

from chat.testing import Response
from tests.support.rest_server import SharedServer

HOST: Final = ("host", "service")

# name -> (user id, token type); None = no token
ACTORS: Final[dict[str, tuple[Any, str]]] = {
    "nobody": (None, ""),
    "stranger": (101, "employee"),
    "former": (102, "employee"),
    "readonly": (103, "employee"),
    "member": (104, "employee"),
    "sender": (105, "employee"),
    "moderator": (106, "employee"),
    "owner": (107, "employee"),
    "admin": (108, "admin"),
    "service": HOST,
}
VICTIM: Final = 109


@dataclass(frozen=True, slots=True)
class World:
    """A chat with everybody in it, a message of the sender's, and a message of a chat that is none
    of theirs.
    """

    shared: SharedServer
    chat_id: int
    message_id: int
    other_message_id: int

    @classmethod
    def make(cls, shared: SharedServer) -> "World":
        seats = ("former", "readonly", "member", "sender", "moderator", "owner")
        chat_id = shared.create_chat([*(ACTORS[each][0] for each in seats), VICTIM])
        people = f"/chats/{chat_id}/participants"
        for role in ("readonly", "moderator", "owner"):
            body = {"role": role}
            _good(shared.request("PATCH", f"{people}/{ACTORS[role][0]}", *HOST, json=body))
        _good(shared.request("DELETE", f"{people}/{ACTORS['former'][0]}", *HOST))
        message_id = shared.send(chat_id, ACTORS["sender"][0])
        other_message_id = shared.send(shared.create_chat([998, 999]), 998)
        return cls(shared, chat_id, message_id, other_message_id)

    def ask(self, actor: str, method: str, path: str, body: Any) -> Response:
        """The route as that actor; `{chat}`, `{message}`, `{other}` and `{victim}` are ids of this
        world.
        """
        names = {
            "{chat}": self.chat_id,
            "{message}": self.message_id,
            "{other}": self.other_message_id,
            "{victim}": VICTIM,
            "{missing}": 2**53 - 1,
        }
        for name, value in names.items():
            path = path.replace(name, str(value))
        if isinstance(body, dict):
            body = {
                field: names.get(value, value) if isinstance(value, str) else value
                for field, value in body.items()
            }
        return self.shared.request(method, path, *ACTORS[actor], json=body)


def _good(response: Response) -> None:
    assert response.status == 200, response.body
