"""The fuzz of the wire in short; `make fuzz` is the long one."""

from tools.fuzz.siege import siege

FRAMES = 2_000
WARM_UP_FRAMES = 1_000


async def test_two_thousand_bad_frames_leave_nothing_behind(tmp_path):
    """Frames, packets, JSON, events and requests of all kinds: no traceback, no ghost, no late
    loop, no memory, little log, and those who chat meanwhile feel nothing.
    """
    async with siege(tmp_path, WARM_UP_FRAMES) as besieged:
        verdict = await besieged.attack(1, FRAMES)
        faults = [*verdict.faults, *await besieged.end()]
    assert faults == [], str(verdict)
