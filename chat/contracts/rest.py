"""The bodies of the REST routes."""

from typing import Annotated, Literal

from pydantic import AliasChoices, Field, model_validator

from chat.contracts.base import AnyUserId, Content, Count, Id, Metadata, Title, WireModel, at_most
from chat.contracts.client_events import SendMessage

RoleName = Literal["owner", "moderator", "member", "readonly"]
ExternalRef = Annotated[str, Field(strict=True, min_length=1, max_length=200)]


class CreateMessage(SendMessage):
    """`POST /chat-messages`: the same fields as the event; the header Idempotency-Key stands for
    clientMessageId.
    """


class UpdateMessage(WireModel):
    """`PATCH` and `PUT /chat-messages/:id`."""

    content: Annotated[Content, Field(validation_alias=AliasChoices("content", "message"))]
    expected_revision: Count | None = None


class CreateChat(WireModel):
    """`POST /chats`. A direct chat has exactly one other participant and no title."""

    type: Literal["direct", "group"] = "group"
    title: Title | None = None
    participant_ids: Annotated[list[AnyUserId], Field(fail_fast=True), at_most(10_000)] = Field(
        default_factory=list
    )
    external_ref: ExternalRef | None = None
    metadata: Metadata = None


class UpdateChat(WireModel):
    """`PATCH /chats/:id`; a field that is absent stays as it is, null clears it."""

    title: Title | None = None
    external_ref: ExternalRef | None = None
    metadata: Metadata = None

    @model_validator(mode="after")
    def _says_something(self) -> "UpdateChat":
        if not self.model_fields_set:
            raise ValueError("give a title, an externalRef or metadata")
        return self


class AddParticipants(WireModel):
    """`POST /chats/:id/participants`."""

    user_ids: Annotated[list[AnyUserId], Field(min_length=1, fail_fast=True), at_most(1_000)]
    role: RoleName = "member"


class UpdateParticipant(WireModel):
    """`PATCH /chats/:id/participants/:userId`."""

    role: RoleName


class MarkRead(WireModel):
    """`POST /chats/:id/read`."""

    message_id: Id


class UserProfile(WireModel):
    """`PUT /users/:id`."""

    name: Title | None = None
    avatar_url: Annotated[str, Field(strict=True, max_length=2_000)] | None = None


class DemoName(WireModel):
    """`POST /demo/token`, in demo mode only."""

    name: Annotated[Title, Field(max_length=40)]
