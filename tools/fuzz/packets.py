"""Packets of Engine.IO and Socket.IO: good ones, those at the wrong time, and those of no
meaning.
"""

import json
from collections.abc import Callable
from random import Random

from tools.fuzz import events, json_texts
from tools.fuzz.frames import Binary
from tools.fuzz.mutations import mutate
from tools.fuzz.world import World

ACK_IDS = (
    "", "", "0", "1", "7", "00", "-1", "+1", "1e400", "1.5", "0x1", " 1", "1 ", "9" * 15, "9" * 16,
    "9" * 25, "9" * 5_000, "\u0661", "\u00b2", "\uff11", "null", "true", "[]",
)  # fmt: skip
EVENT_NAMES = (
    '"connect"', '"disconnect"', '"connect_error"', '"error"', '"message"', '"newListener"',
    '"pong"', '"__proto__"', '"__class__"', '"constructor"', '"trigger_event"', '""',
    '"' + "n" * 3_000 + '"', '"\\u0000"', '"\\ud800"', "null", "1", "1.5", "true", "[]", "{}",
    '["sendMessage"]', '"sendMessage "', '"SENDMESSAGE"',
)  # fmt: skip
NAMESPACES = (
    "", "/", "/,", "/admin,", "/chat", "/chat/,", "/Chat,", "/chat ,", "//chat,", "/chat?token=x,",
    "/chat?,", "/chat#,", "/chat\u0000,", "/../chat,", "/" + "n" * 5_000 + ",", "chat,", "/%63hat,",
    "/chat,,",
)  # fmt: skip
AUTHS = (
    "", "null", "{}", "[]", "1", '"token"', "true", "{not json", '{"token":null}', '{"token":1}',
    '{"token":[]}', '{"token":{"$gt":""}}', '{"token":""}', '{"token":"Bearer "}',
    '{"__proto__":{}}', '{"token":{"toString":1}}', "[{}]", '{"token":"\\ud800"}',
    '{"token":"\\u0000"}',
)  # fmt: skip
ATTACHMENTS = ("0", "1", "2", "16", "17", "99", "5000", "-1", "1e3", "", "1-1", "\u0661", "0001")
PLACEHOLDERS = (
    '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":-1}', '{"_placeholder":true}',
    '{"_placeholder":true,"num":1e9}', '{"_placeholder":true,"num":"x"}',
    '{"_placeholder":1,"num":0}',
)  # fmt: skip
ENGINE_TEXTS = (
    "", "0", '0{"sid":"x"}', "1", "1x", "2", "2probe", "2x", "3", "3probe", "4", "5", "5x", "6",
    "6x", "7", "8", "9", "b", "bAAEC", "b!", "b4", "bNA==", "-", "-1", " 4", "\u00b2", "\u0661",
    "\u00002", "44", "4null", "4[1]", "4{}", '4"a"', "4true", "4\u0662", "4-", "41.5", "4" * 400,
    "2" * 400, "\u001e", "4\u001e4", "d=4", "ok",
)  # fmt: skip


def good(random: Random, world: World) -> bytes:
    """An event that a decent client would send, with an ack id mostly."""
    name = random.choice(list(events.EVENTS))
    payload = events.good_payload(random, world, name)
    ack_id = str(random.randrange(1000)) if random.random() < 0.8 else ""
    return f"42/chat,{ack_id}{json.dumps([name, payload])}".encode()


def near_good(random: Random, world: World) -> bytes:
    """An event of ours with something wrong inside."""
    name, arguments = events.event(random, world)
    ack_id = random.randrange(1000)
    return b'42/chat,%d["%b"%b]' % (ack_id, name.encode(), b"," + arguments if arguments else b"")


def odd_argument(random: Random, world: World) -> bytes:
    """JSON trouble as an argument of an event, or as a value in it; always UTF-8."""
    value = json_texts.value(random).decode(errors="replace").encode()
    chat_id = random.choice(world.chat_ids)
    bodies = (
        b'["sendMessage",{"chatId":%d,"content":"x","metadata":{"v":%b}}]' % (chat_id, value),
        b'["sendMessage",{"chatId":%d,"content":%b}]' % (chat_id, value),
        b'["joinChat",{"chatId":%b}]' % value,
        b'["sync",%b]' % value,
        b'["ping",%b]' % value,
    )
    return b"42/chat,%d%b" % (random.randrange(1000), random.choice(bodies))


def odd_json(random: Random, _world: World) -> bytes:
    """JSON trouble as the whole packet, or as its name."""
    value = json_texts.value(random)
    return b"42/chat,%d%b" % (random.randrange(1000), random.choice((b"[%b]" % value, value)))


def socket_packet(random: Random, world: World) -> bytes:
    """Socket.IO off the beaten track."""
    return random.choice(_SOCKET)(random, world).encode("utf-8", "surrogatepass")


def engine_packet(random: Random, _world: World) -> bytes:
    """Engine.IO off the beaten track; binary messages too."""
    if random.random() < 0.15:
        return Binary(random.choice((b"", b"\x04", b"4", b"2probe", random.randbytes(20))))
    return random.choice(ENGINE_TEXTS).encode()


def damaged(random: Random, world: World) -> bytes:
    """A good packet with a mutation."""
    corpus = [good(random, world) for _ in range(3)]
    return mutate(random, corpus[0], [*corpus, connect(world.tokens[0])])


def connect(token: str) -> bytes:
    return b"40/chat," + json.dumps({"token": token}).encode()


def harmless(random: Random, world: World) -> bytes:
    """A packet that is refused at most: the session goes on."""
    return random.choice(_HARMLESS)(random, world)


def dangerous(random: Random, world: World) -> bytes:
    """A packet that may well be the session's last."""
    return random.choice(_DANGEROUS)(random, world)


def sequence(random: Random, world: World, most: int) -> list[bytes]:
    """Harmless packets, and behind them, so that they are heard, some that may not be."""
    kind = random.choice((harmless, harmless, dangerous))
    before = [harmless(random, world) for _ in range(random.randint(0, most))]
    return before + [kind(random, world) for _ in range(random.randint(1, 4))]


def _connect(random: Random, world: World) -> str:
    tokens = (*world.tokens, *world.bad_tokens)
    auth = random.choice((*AUTHS, *(json.dumps({"token": each}) for each in tokens)))
    return f"40{random.choice(('/chat,', *NAMESPACES))}{auth}"


def _ack_id(random: Random, _world: World) -> str:
    return f'42/chat,{random.choice(ACK_IDS)}["ping"]'


def _name(random: Random, _world: World) -> str:
    return f"42/chat,{random.randrange(100)}[{random.choice(EVENT_NAMES)},{{}}]"


def _namespace(random: Random, _world: World) -> str:
    return f'4{random.choice("0123456")}{random.choice(NAMESPACES)}["ping"]'


def _stray(random: Random, _world: World) -> str:
    kind = random.choice("1346789")
    body = random.choice(("", "[]", "{}", '{"message":"x"}', "1[]", "-1[]", "null", "[1]"))
    return f"4{kind}{random.choice(('/chat,', '', '/'))}{body}"


def _binary(random: Random, _world: World) -> str:
    count, holder = random.choice(ATTACHMENTS), random.choice(PLACEHOLDERS)
    ack_id = random.choice(ACK_IDS)
    return f'4{random.choice("56")}{count}-/chat,{ack_id}["sendMessage",{holder}]'


_SOCKET: list[Callable[[Random, World], str]] = [
    _connect,
    _ack_id,
    _name,
    _namespace,
    _stray,
    _binary,
]
_HARMLESS = (near_good, near_good, good, odd_argument)
_DANGEROUS = (odd_json, damaged, socket_packet, socket_packet, engine_packet)
