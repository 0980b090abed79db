"""The question to the host whether a user has a seat in a chat, and its answer."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from pydantic import AwareDatetime, Field, ValidationError

from chat.contracts.base import MAX_NAME_CHARS, RequestModel
from chat.entities import Seat
from chat.identity import Identity


class SeatAnswer(RequestModel):
    """The host's answer: the role, the title of a chat that is made, and when the seat ends.

    `tenant`, where the host sends it, has to be the user's.
    """

    role: Literal["moderator", "member", "readonly"]
    title: Annotated[str, Field(strict=True, max_length=MAX_NAME_CHARS)] | None = None
    until: AwareDatetime | None = None
    tenant: str | None = None


def seat_question(identity: Identity, external_ref: str) -> bytes:
    """Write the body of the question."""
    user = {"id": identity.user_id, "type": identity.type, "role": identity.role}
    return orjson.dumps({"externalRef": external_ref, "user": {**user, "tenant": identity.tenant}})


def read_seat(body: bytes, tenant: str) -> Seat:
    """Read the body of the answer; a ValueError says in a few words why it is none."""
    try:
        answer = SeatAnswer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    if answer.tenant not in (None, tenant):
        raise ValueError("the answer is about another tenant")
    until: datetime | None = answer.until
    title = (answer.title or "").strip() or None
    until = None if until is None else until.astimezone(UTC)
    return Seat(role=answer.role, title=title, until=until)
