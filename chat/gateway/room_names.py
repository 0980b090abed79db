"""The names of the Socket.IO rooms, spelled here and nowhere else."""

from typing import Final

from chat.identity import UserId

NAMESPACE: Final = "/chat"


def chat_room(chat_id: int) -> str:
    """The room of everybody who has joined the chat."""
    return f"chat_{chat_id}"


def user_room(user_id: UserId) -> str:
    """The room of all sockets of one user."""
    return f"user_{user_id}"
