"""The query strings of REST requests."""

from typing import Annotated

from pydantic import Field, StrictStr

from chat.contracts.base import (
    DEFAULT_PAGE,
    MAX_USERS_ASKED,
    AnyUserId,
    Count,
    ExternalRef,
    Id,
    PageLimit,
    RequestModel,
    at_most,
)
from chat.contracts.client_events import Epoch


class Limited(RequestModel):
    """The most items of the page."""

    limit: PageLimit = DEFAULT_PAGE


class MessagesQuery(Limited):
    """Give at most one of `before`, `after`, `around`; without one, the page is the newest."""

    chat_id: Id
    before: Id | None = None
    after: Id | None = None
    around: Id | None = None


class HistoryQuery(Limited):
    """`before` is a revision: `page.oldestRevision` of the page before."""

    before: Id | None = None


class ChatsQuery(Limited):
    """`cursor` is `page.nextCursor` of the page before, unchanged."""

    cursor: StrictStr | None = None
    external_ref: ExternalRef | None = None


class ParticipantsQuery(RequestModel):
    """`cursor` is `page.nextCursor` of the page before."""

    cursor: Count = 0


class SyncQuery(Limited):
    """The client's cursor; without `since`, the page has the newest messages."""

    since: Count | None = None
    epoch: Epoch | None = None


class UsersQuery(RequestModel):
    """Ids, separated by commas."""

    ids: Annotated[list[AnyUserId], Field(min_length=1, fail_fast=True), at_most(MAX_USERS_ASKED)]


class PresenceQuery(RequestModel):
    """Ids, separated by commas."""

    ids: Annotated[list[AnyUserId], Field(fail_fast=True), at_most(MAX_USERS_ASKED)] = Field(
        default_factory=list
    )
