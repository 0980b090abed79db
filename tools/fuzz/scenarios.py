"""What one attacker does from its first byte to its last, made from a seed and a number alone.

A scenario that has found something can be repeated by itself: `python -m tools.fuzz --seed S --only
N`. (Ids and tokens are those of the day, so its bytes are the same but for them.)
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

from tools.fuzz import frames, http_requests, packets
from tools.fuzz.mutations import mutate
from tools.fuzz.world import World

Door = Literal["websocket", "polling", "http"]
ENDINGS = ("close frame", "close", "close", "reset", "half close", "silence")


@dataclass(frozen=True, slots=True)
class Step:
    """`do`: send `whole`, `torn` into a few segments, or as a `drip` of single bytes; or what a
    polling client does. `frames` is how many frames or packets it counts for.
    """

    do: str
    data: bytes = b""
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """`let_in`: begins with a good CONNECT of the attacker number `user`; `early`: does not wait
    for its answer. `asks`: at the end the session must answer, or be over.
    """

    seed: int
    number: int
    door: Door
    user: int
    let_in: bool
    early: bool
    steps: tuple[Step, ...]
    ending: str
    asks: bool

    @property
    def name(self) -> str:
        return f"{self.seed}:{self.number} ({self.door}, {self.ending})"


def make_scenario(seed: int, number: int, world: World) -> Scenario:
    random = Random(f"{seed}:{number}")  # noqa: S311  # a fuzzer's
    (door,) = random.choices(("websocket", "polling", "http"), (70, 20, 10))
    let_in = random.random() < 0.9
    if door == "websocket":
        steps, asks = _over_websocket(random, world)
    elif door == "polling":
        steps, asks = _over_polling(random, world)
    else:
        steps, asks = _over_http(random, world)
    return Scenario(
        seed=seed,
        number=number,
        door=door,
        user=random.randrange(len(world.tokens)),
        let_in=let_in,
        early=random.random() < 0.1,
        steps=tuple(steps),
        ending=random.choice(ENDINGS),
        asks=asks and let_in,
    )


def _over_websocket(random: Random, world: World) -> tuple[list[Step], bool]:
    steps = [
        _sent(random, frames.packet_frame(random, each))
        for each in packets.sequence(random, world, 40)
    ]
    if random.random() < 0.15:
        steps = _joined(steps)
    if random.random() < 0.6:
        return steps, True
    # What breaks the protocol comes last, since nothing is heard after it.
    for _ in range(random.randint(1, 3)):
        packet = packets.good(random, world)
        if random.random() < 0.7:
            data = frames.broken(random, packet)
        else:
            corpus = [frames.packet_frame(random, packet), frames.broken(random, packet)]
            data = mutate(random, corpus[0], corpus)
        steps.append(_sent(random, data))
    return steps, False


def _sent(random: Random, data: bytes) -> Step:
    way = random.random()
    if way < 0.9:
        return Step("whole", data)
    if way < 0.97 or len(data) > 2_000:
        return Step("torn", data)
    return Step("drip", data)


def _joined(steps: list[Step]) -> list[Step]:
    """All of them in one segment."""
    return [Step("whole", b"".join(each.data for each in steps), len(steps))]


def _over_polling(random: Random, world: World) -> tuple[list[Step], bool]:
    steps: list[Step] = []
    asks = True
    for _ in range(random.randint(1, 6)):
        way = random.random()
        if way < 0.65:
            sent = packets.sequence(random, world, 12)
            steps.append(Step("post", http_requests.post(sent), len(sent)))
        elif way < 0.75:
            steps.append(Step("poll"))
        elif way < 0.9:
            asks = False
            steps.append(_damage_to_polling(random, world))
        else:
            asks = False
            steps.append(_upgrade(random, world))
    return steps, asks


def _damage_to_polling(random: Random, world: World) -> Step:
    if random.random() < 0.3:
        return Step(random.choice(("poll twice", "poll and go")))
    return Step("request", http_requests.odd(random, world))


def _upgrade(random: Random, world: World) -> Step:
    """A probe as it should be, or in any other order, and then events."""
    way = random.random()
    if way < 0.4:
        sent = [b"2probe", b"5"]
    else:
        sent = random.choices((b"2probe", b"5", b"5", b"2", b"6", b"3probe", b"", b"1"), k=3)
    sent += packets.sequence(random, world, 8)
    data = b"".join(frames.packet_frame(random, each) for each in sent)
    return Step("upgrade", data, len(sent))


def _over_http(random: Random, world: World) -> tuple[list[Step], bool]:
    steps = [
        Step(
            random.choice(("request", "request", "slow request")), http_requests.odd(random, world)
        )
        for _ in range(random.randint(1, 6))
    ]
    return steps, False
