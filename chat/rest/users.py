"""/users: names and pictures of users, and whether the users are online."""

from typing import Annotated

from pydantic import Field

from chat.contracts import acks, answers
from chat.contracts.base import (
    MAX_USERS_ASKED,
    AnyUserId,
    RequestModel,
    at_most,
    parse,
    parse_fields,
)
from chat.contracts.client_events import Event, GetPresence
from chat.contracts.models import profile_to_wire
from chat.contracts.rest import UserProfile
from chat.entities import User
from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler
from chat.rest.paths import path_user_id
from chat.services.budget import Budget
from chat.services.pace import USERS_OF_A_LOOKUP


class FindUsers(RequestModel):
    """The query of `GET /users` and `GET /users/:id`, as plugins see it."""

    user_ids: Annotated[
        list[AnyUserId], Field(min_length=1, fail_fast=True), at_most(MAX_USERS_ASKED)
    ]


class UsersHandler(ApiHandler):
    async def get(self) -> None:
        """`?ids=1,2,3`, up to 200: list the profiles of those whom the caller may see."""
        asked = parse_fields(FindUsers, user_ids=self.query_ids())
        query = await self.begin("GET /users", asked)
        found = await self.gate.domain.directory.find(self.identity, query.user_ids)
        fitting = Budget(self.gate.answer_bytes).fit(map(profile_to_wire, found))
        self.answer(answers.page_of_users(fitting, has_more=len(fitting) < len(found)))


class UserHandler(ApiHandler):
    async def get(self, user: str) -> None:
        asked = parse_fields(FindUsers, user_ids=[path_user_id(user)])
        query = await self.begin("GET /users/:id", asked)
        found = await self.gate.domain.directory.get(self.identity, query.user_ids[0])
        self.answer(answers.one_user(found))

    async def put(self, user: str) -> None:
        """Set the name and picture of a user, who may never have connected; only the host may."""
        user_id = path_user_id(user)
        self.about("PUT /users/:id", user_id=user_id)
        if not self.identity.is_service:
            raise ChatError(ErrorCode.FORBIDDEN, "service tokens only")
        profile = await self.begin("PUT /users/:id", parse(UserProfile, await self.body_json()))
        key = self.identity.key_of(user_id)
        named = User(key=key, name=profile.name, avatar_url=profile.avatar_url)
        await self.gate.domain.people.put(named)
        self.answer(answers.one_user(named))


class PresenceHandler(ApiHandler):
    async def get(self) -> None:
        """`?ids=1,2,3`, up to 200: tell which of them are online."""
        asked = parse_fields(GetPresence, user_ids=self.query_ids())
        query = await self.begin(Event.GET_PRESENCE, asked)
        pace = self.gate.domain.pace
        pace.take_lookup(self.identity, len(query.user_ids) / USERS_OF_A_LOOKUP)
        found = await self.gate.domain.directory.presence(self.identity, query.user_ids)
        self.answer(acks.present(found))
