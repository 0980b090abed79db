"""Durations of the server that are no settings."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations in seconds. Tests give a server shorter durations.

    Durations that no test changes are constants of the modules that use them.
    """

    ack_deadline_s: float = 8.0
    """The server answers every event within this time of its receipt, with TIMEOUT if need be."""

    plugin_event_s: float = 5.0
    """The time limit of a plugin's event, which delays the later events of its socket.

    It has to be over before the deadline of the ack.
    """

    plugin_connect_s: float = 5.0
    """The time limit of `on_connect` and `on_disconnect` of a plugin's namespace.

    The end of a session waits for both.
    """

    plugin_startup_s: float = 10.0
    """The time limit of `startup` and of each registration of a plugin."""

    refused_close_after_s: float = 1.0
    """The time for a refused CONNECT to reach the client before its transport is closed."""

    token_tick_s: float = 1.0
    """The interval at which the server looks for tokens that expire."""

    body_linger_s: float = 2.0
    """The time in which the rest of a refused body is read and thrown away.

    If the connection were closed before that, it would be reset, and the client might not see the
    answer.
    """

    typing_push_every_s: float = 2.0
    """A client signals at every keystroke; its peers need a push every two seconds."""

    unread_push_every_s: float = 1.0
    """A busy chat changes every badge with every message; more than one push a second is no use."""

    profile_push_after_s: float = 1.0
    """A user who logs in under two names within a second costs each peer one push."""

    profile_pause_s: float = 0.02
    """The pause between pushes of ten profiles: at most 500 a second, which is 1 % of a core."""

    people_flush_every_s: float = 1.0
    """The interval at which small facts (read cursors, profiles, last seen) are written."""

    key_fetch_every_s: float = 5.0
    """The least pause between two fetches of keys, since strangers can send any key id."""

    key_fetch_within_s: float = 5.0
    key_wait_s: float = 2.0
    """The time that a client whose key is being fetched waits for its answer."""

    key_first_retry_s: float = 1.0
    key_last_retry_s: float = 30.0

    lease_valid_s: float = 10.0
    lease_renew_every_s: float = 3.0
    lease_drift_s: float = 1.0
    """A successor waits this much longer than a lease is valid, since no two clocks run alike."""

    store_timeout_s: float = 4.0
    """Without this limit a write to a stopped store hangs; with it an answer takes 5 s at most."""

    disk_look_every_s: float = 1.0
    """The interval at which the server looks at the free space of its disks."""

    store_start_s: float = 20.0
    store_stop_s: float = 5.0
    store_orphan_s: float = 3.0
    """The time that a store left by a killed server may take to release its files."""

    store_last_delay_s: float = 5.0
    """The longest pause between two attempts to restart the embedded store."""


TIMINGS: Final = Timings()
"""The durations of a server outside of tests."""
