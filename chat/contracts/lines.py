"""Lines of the timeline as clients receive them: the part of a message of type `system`."""

from typing import Annotated, Literal, NotRequired

# On Python 3.11 pydantic reads only this TypedDict.
from typing_extensions import TypedDict

from chat.contracts.base import AnyUserId, RoleName, checked_as
from chat.entities import SystemEvent, SystemKind

SystemKindName = Literal[
    "participantsAdded", "participantRemoved", "participantLeft", "roleChanged", "titleChanged"
]


class SystemModel(TypedDict):
    """The content of a message of type `system`; `role` and `title` where these were changed."""

    kind: Annotated[str, checked_as(SystemKindName)]
    by: AnyUserId
    userIds: list[AnyUserId]
    role: NotRequired[Annotated[str, checked_as(RoleName)]]
    title: NotRequired[str | None]


def system_to_wire(event: SystemEvent) -> SystemModel:
    wire: SystemModel = {
        "kind": event.kind.value,
        "by": event.by,
        "userIds": list(event.user_ids),
    }
    if event.role is not None:
        wire["role"] = event.role.value
    if event.kind is SystemKind.TITLE_CHANGED:
        wire["title"] = event.title
    return wire
