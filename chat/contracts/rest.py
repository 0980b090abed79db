"""The bodies of REST requests."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, model_validator

from chat.contracts.base import (
    AnyUserId,
    Content,
    Count,
    ExternalRef,
    Id,
    Metadata,
    RequestModel,
    RoleName,
    Title,
    at_most,
)
from chat.contracts.client_events import SendMessage
from chat.errors import ChatError, ErrorCode

MAX_NEW_PARTICIPANTS: Final = 10_000
"""The number of participants that a new chat may be given; the setting may be lower."""

MAX_ADDED_AT_ONCE: Final = 1_000
"""The number of participants that one request may add to a chat."""


class QueryName:
    """The names in query strings that consist of several words."""

    CHAT_ID: Final = "chatId"
    EXTERNAL_REF: Final = "externalRef"


class CreateMessage(SendMessage):
    """`POST /chat-messages`: the fields of the event.

    The header Idempotency-Key may stand for clientMessageId.
    """

    @classmethod
    def with_key(cls, body: Any, key: str) -> Any:
        """Put the header's key into the body; VALIDATION_ERROR where the body has another key."""
        if not isinstance(body, dict):
            return body
        if body.get("clientMessageId") is None:
            body["clientMessageId"] = key
        if body["clientMessageId"] != key:
            differ = "Idempotency-Key and clientMessageId differ"
            raise ChatError(ErrorCode.VALIDATION_ERROR, differ)
        return body


class UpdateMessage(RequestModel):
    """`PATCH` and `PUT /chat-messages/:id`."""

    content: Content
    expected_revision: Count | None = None


class CreateChat(RequestModel):
    """`POST /chats`. A direct chat has exactly one other participant and no title."""

    type: Literal["direct", "group"] = "group"
    title: Title | None = None
    participant_ids: Annotated[
        list[AnyUserId], Field(fail_fast=True), at_most(MAX_NEW_PARTICIPANTS)
    ] = Field(default_factory=list)
    external_ref: ExternalRef | None = None
    metadata: Metadata = None


class ByExternalRef(RequestModel):
    """`POST /chats/join` and `POST /admin/seats/refresh`."""

    external_ref: ExternalRef


class UpdateChat(RequestModel):
    """`PATCH /chats/:id`; an absent field stays as it is, null clears it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    title: Title | None = None
    external_ref: ExternalRef | None = None
    metadata: Metadata = None

    @model_validator(mode="after")
    def _says_something(self) -> "UpdateChat":
        if not self.model_fields_set:
            raise ValueError("give a title, an externalRef or metadata")
        return self


class AddParticipants(RequestModel):
    """`POST /chats/:id/participants`."""

    user_ids: Annotated[
        list[AnyUserId], Field(min_length=1, fail_fast=True), at_most(MAX_ADDED_AT_ONCE)
    ]
    role: RoleName = "member"


class UpdateParticipant(RequestModel):
    """`PATCH /chats/:id/participants/:userId`."""

    role: RoleName


class MarkRead(RequestModel):
    """`POST /chats/:id/read`."""

    message_id: Id


class UserProfile(RequestModel):
    """`PUT /users/:id`."""

    name: Title | None = None
    avatar_url: Annotated[str, Field(strict=True, max_length=2_000)] | None = None


class DemoName(RequestModel):
    """`POST /demo/token`, in demo mode only."""

    name: Annotated[Title, Field(max_length=40)]
