"""How long the server waits, where that is no setting."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations in seconds. Tests give a server shorter ones.

    Durations that no test changes are constants of the modules that use them.
    """

    ack_deadline_s: float = 8.0
    """Every event is answered within this time of its receipt, if only with TIMEOUT."""

    plugin_event_s: float = 5.0
    """A plugin's event holds up the later ones of its socket, and has to end before the ack's
    deadline.
    """

    plugin_connect_s: float = 5.0
    """What `on_connect` and `on_disconnect` of a plugin's namespace may take; the end of a session
    waits for it.
    """

    plugin_startup_s: float = 10.0
    """What `startup` and each registration of a plugin may take."""

    refused_close_after_s: float = 1.0
    """Time for a refused CONNECT to reach the client before its transport is closed."""

    token_tick_s: float = 1.0
    """How often the server looks for tokens that end."""

    body_linger_s: float = 2.0
    """How long the rest of a refused body is taken and thrown away. Closed before that, the
    connection would be reset, and the client might not see the answer.
    """

    typing_push_every_s: float = 2.0
    """A client signals at every keystroke; its peers need to hear it every two seconds."""

    unread_push_every_s: float = 1.0
    """A busy chat moves everybody's badge with every message; once a second is as often as one
    looks.
    """

    profile_push_after_s: float = 1.0
    """A user who logs in under two names within a second costs each peer one push."""

    profile_pause_s: float = 0.02
    """Between pushes of ten profiles: at most 500 a second, which is 1 % of a core."""

    people_flush_every_s: float = 1.0
    """How often small facts (read cursors, profiles, last seen) are written."""

    key_fetch_every_s: float = 5.0
    """Strangers can send any key id, and must not make this server ask the host more often."""

    key_fetch_within_s: float = 5.0
    key_wait_s: float = 2.0
    """A client whose key is being fetched waits so long for its answer."""

    key_first_retry_s: float = 1.0
    key_last_retry_s: float = 30.0

    lease_valid_s: float = 10.0
    lease_renew_every_s: float = 3.0
    lease_drift_s: float = 1.0
    """A successor waits for this much longer, since two clocks do not run alike."""

    store_timeout_s: float = 4.0
    """Without it a write to a stopped store hangs for ever; with it every answer comes within five
    seconds.
    """

    disk_look_every_s: float = 1.0
    """How often the free space of an idle server's disks is looked at."""

    store_start_s: float = 20.0
    store_stop_s: float = 5.0
    store_orphan_s: float = 3.0
    """How long a store left by a server that was just killed may take to let go of its files."""

    store_last_delay_s: float = 5.0
    """The longest pause between two attempts to start the embedded store again."""


TIMINGS: Final = Timings()
"""Those of a server outside of tests."""
