"""The settings of limits: of a message, a frame, a chat, and of a client's requests."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    """A part of chat.settings.Settings."""

    max_content_chars: int = Field(10_000, ge=1, description="Longest message, in characters.")
    max_payload_bytes: int = Field(
        1_000_000, ge=1_000, description="Largest frame, polling POST and JSON body, in bytes."
    )
    max_body_bytes: int = Field(
        32_000_000,
        ge=4_000,
        description="Bytes of requests' bodies that may be held at once; of one address a quarter.",
    )
    max_json_depth: int = Field(
        32, ge=8, le=64, description="Levels of nesting in the JSON of an event or a body."
    )
    max_json_values: int = Field(
        10_000, ge=1_000, description="Values in the JSON of an event or a body."
    )
    max_participants: int = Field(1_000, ge=2, description="Most participants in one chat.")
    max_chats_made_per_hour: int = Field(
        100, ge=1, description="Chats that a user may make in an hour."
    )
    max_people_added_per_hour: int = Field(
        2_000, ge=1, description="People whom a user may add to chats in an hour."
    )
    max_added_by_strangers_per_hour: int = Field(
        60, ge=1, description="Chats to which strangers may add a user in an hour."
    )
    max_chats_per_user: int = Field(
        1_000, ge=1, description="Most chats that a user may be in, unless the host adds more."
    )
    max_sockets_per_user: int = Field(20, ge=1, description="Sockets that a user may have open.")
    max_sockets_per_address: int = Field(
        200, ge=1, description="Sockets that may come from one address (the /64 of an IPv6 one)."
    )
    max_failed_tokens_per_min: int = Field(
        30, ge=1, description="Bad tokens a minute that are looked into, by address and user."
    )
    max_refused_per_min: int = Field(
        600,
        ge=30,
        description="Refused events a minute of one socket before it is slowed down, then cut.",
    )
    max_pages_per_s: float = Field(
        10, gt=0, description="Pages, joins and syncs a second, by user, whatever plugins allow."
    )
    max_lookups_per_s: float = Field(
        10,
        gt=0,
        description="Looks a second, by user, for what may not be there: chats, repeats, presence.",
    )
    max_typing_per_s: float = Field(
        30, gt=0, description="Typing signals a second, by user, renewals included."
    )
    chats_in_memory_mb: int = Field(
        64, ge=1, description="Megabytes of memory for the chats that were used last."
    )
    max_rooms_per_socket: int = Field(
        500, ge=1, description="Most chats one socket may have joined."
    )
    max_waiting_events: int = Field(
        1_000,
        ge=1,
        description="Events of one socket that may wait to be handled; one more ends it.",
    )
    max_waiting_bytes: int = Field(
        1_000_000, ge=1, description="Bytes of those events; what does not fit ends the socket."
    )
    max_backlog_bytes: int = Field(
        4_000_000,
        ge=1,
        description="Bytes that may wait for a socket that does not read, before it is cut.",
    )
