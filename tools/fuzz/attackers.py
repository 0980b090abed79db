"""Carry scenarios out against a server, and note what it did: the driver of the fuzz."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

from tools.fuzz import frames, http_requests, packets
from tools.fuzz.hearing import Hearing
from tools.fuzz.raw_http import Gone, RawConnection
from tools.fuzz.scenarios import Scenario, Step
from tools.fuzz.world import World

QUESTION = b'42/chat,424242["ping"]'
ANSWER = b"43/chat,424242["
ANSWER_WITHIN_S = 9.0
"""An ack is promised within 8 s."""

POLL_FOR_S = 0.25
SILENCE_S = 0.5


@dataclass(slots=True)
class Tally:
    """What has been done and heard so far. `faults` must stay empty."""

    frames: int = 0
    scenarios: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    closed_by: Counter[int] = field(default_factory=Counter)
    answered: int = 0
    ended: int = 0
    faults: list[str] = field(default_factory=list)

    def refusals(self) -> int:
        """Connections that the server has ended, and requests that it has refused."""
        return self.ended + sum(n for status, n in self.statuses.items() if status >= 400)


async def attack(port: int, world: World, scenario: Scenario, tally: Tally) -> None:
    """One scenario from end to end; a connection that ends on the way ends it early."""
    tally.scenarios[scenario.door] += 1
    with contextlib.suppress(Gone, OSError):
        if scenario.door == "websocket":
            await _OverWebsocket(port, world, scenario, tally).run()
        elif scenario.door == "polling":
            await _OverPolling(port, world, scenario, tally).run()
        else:
            await _over_http(port, scenario, tally)


class _OverWebsocket:
    def __init__(self, port: int, world: World, scenario: Scenario, tally: Tally) -> None:
        self._port = port
        self._connect = frames.frame(packets.connect(world.tokens[scenario.user]))
        self._scenario = scenario
        self._tally = tally
        self._hearing = Hearing(ANSWER)

    async def run(self) -> None:
        scenario = self._scenario
        connection = await RawConnection.open(self._port)
        status, _ = await connection.ask(http_requests.handshake())
        if status != 101:
            self._tally.faults.append(f"{scenario.name}: a good handshake was answered {status}")
        listening = asyncio.ensure_future(self._listen(connection))
        try:
            if scenario.let_in:
                await connection.send(self._connect)
                if not scenario.early:
                    await asyncio.wait([listening], timeout=0.02)
            for step in scenario.steps:
                if listening.done():
                    break
                await _send(connection, step)
                # Lets the listener see an end of the connection before it counts more frames.
                await asyncio.sleep(0)
                self._tally.frames += step.frames
            if scenario.asks:
                await self._ask(connection, listening)
            await self._end(connection, listening)
        except Gone:
            pass
        finally:
            connection.close()
            await listening
            hearing = self._hearing
            self._tally.closed_by[hearing.closed_by] += bool(hearing.closed_by)
            self._tally.faults += [f"{scenario.name}: {each}" for each in hearing.faults]

    async def _listen(self, connection: RawConnection) -> None:
        """Until the connection ends."""
        with contextlib.suppress(OSError):
            while data := await connection.reader.read(65_536):
                self._hearing.take(data)

    async def _ask(self, connection: RawConnection, listening: asyncio.Future[None]) -> None:
        """The session answers once, or it is over: nothing in between."""
        with contextlib.suppress(Gone):
            await connection.send(frames.frame(QUESTION))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ANSWER_WITHIN_S
        while not listening.done() and not self._hearing.answers and loop.time() < deadline:
            await asyncio.wait([listening], timeout=0.005)
        if self._hearing.answers:
            self._tally.answered += 1
        elif listening.done():
            self._tally.ended += 1
        else:
            self._tally.faults.append(f"{self._scenario.name}: neither answered nor ended")

    async def _end(self, connection: RawConnection, listening: asyncio.Future[None]) -> None:
        ending = self._scenario.ending
        if ending == "close frame":
            await connection.send(frames.frame(b"\x03\xe8", frames.CLOSE))
            await asyncio.wait([listening], timeout=SILENCE_S)
        elif ending == "half close":
            connection.writer.write_eof()
            await asyncio.wait([listening], timeout=SILENCE_S)
        elif ending == "silence":
            await asyncio.wait([listening], timeout=SILENCE_S)
            self._tally.ended += listening.done()
        elif ending == "reset":
            connection.reset()


async def _send(connection: RawConnection, step: Step) -> None:
    data = step.data
    if step.do == "drip":
        pieces = [data[at : at + 1] for at in range(len(data))]
    elif step.do == "torn":
        size = len(data) // 4 + 1
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
    else:
        pieces = [data]
    for piece in pieces:
        await connection.send(piece)
        if len(pieces) > 1:
            # Nagle is off on the way, so each piece leaves as a segment of its own.
            await asyncio.sleep(0)


class _OverPolling:
    def __init__(self, port: int, world: World, scenario: Scenario, tally: Tally) -> None:
        self._port = port
        self._token = world.tokens[scenario.user]
        self._scenario = scenario
        self._tally = tally
        self._sid = b""
        self._heard = b""
        self._open: list[RawConnection] = []

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            for connection in self._open:
                connection.reset() if self._scenario.ending == "reset" else connection.close()

    async def _run(self) -> None:
        scenario = self._scenario
        connection = await self._connection()
        opening = http_requests.request("GET", f"{http_requests.OPENING}polling")
        _, body = await connection.ask(opening)
        self._sid = body.partition(b'"sid":"')[2].partition(b'"')[0]
        if not self._sid:
            self._tally.faults.append(f"{scenario.name}: no session was opened")
        if scenario.let_in:
            await self._exchange(connection, http_requests.post([packets.connect(self._token)]))
            if not scenario.early:
                await self._poll(connection)
        for step in scenario.steps:
            self._tally.frames += step.frames
            await self._do(step)
        if scenario.asks:
            await self._ask()

    async def _connection(self) -> RawConnection:
        connection = await RawConnection.open(self._port)
        self._open.append(connection)
        return connection

    async def _do(self, step: Step) -> None:
        """A connection each: what was broken on one must not end the others."""
        connection = await self._connection()
        if step.do == "poll":
            await self._poll(connection)
        elif step.do == "poll twice":
            await connection.send(self._own(http_requests.poll()))
            await self._poll(await self._connection())
        elif step.do == "poll and go":
            await connection.send(self._own(http_requests.poll()))
            connection.reset()
        elif step.do == "upgrade":
            await connection.send(self._own(http_requests.handshake(http_requests.SID)))
            await connection.send(step.data)
            await asyncio.wait([asyncio.ensure_future(_read(connection))], timeout=POLL_FOR_S)
        else:
            await self._exchange(connection, step.data)

    async def _exchange(self, connection: RawConnection, request: bytes) -> int:
        """Send a request and note how it was answered; 0 = it was not."""
        await connection.send(self._own(request))
        return await _note_answer(connection, self._tally)

    async def _poll(self, connection: RawConnection) -> int:
        """A poll of which the answer is kept; it ends with the next PING at the latest."""
        try:
            status, body = await connection.ask(self._own(http_requests.poll()))
        except (Gone, TimeoutError):
            return 0
        self._tally.statuses[status] += 1
        self._heard += b"\x1e" + body
        return status

    async def _ask(self) -> None:
        """As over websocket; a refused poll or a CLOSE packet is the end."""
        connection = await self._connection()
        self._heard = b""
        await self._exchange(connection, http_requests.post([QUESTION]))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while await self._poll(await self._connection()) == 200:
                if ANSWER in self._heard:
                    self._tally.answered += 1
                    return
                if b"\x1e1" in self._heard:
                    break
        self._tally.ended += 1

    def _own(self, request: bytes) -> bytes:
        return request.replace(http_requests.SID.encode(), self._sid)


async def _over_http(port: int, scenario: Scenario, tally: Tally) -> None:
    for step in scenario.steps:
        tally.frames += step.frames
        connection = await RawConnection.open(port)
        try:
            half = len(step.data) // 2 if step.do == "slow request" else 0
            if half:
                await connection.send(step.data[:half])
                await asyncio.sleep(0.05)
            await connection.send(step.data[half:])
            await _note_answer(connection, tally)
        except Gone:
            tally.ended += 1
        finally:
            connection.reset() if scenario.ending == "reset" else connection.close()


async def _note_answer(connection: RawConnection, tally: Tally) -> int:
    try:
        async with asyncio.timeout(POLL_FOR_S):
            status, _ = await connection.answer()
    except TimeoutError:
        return 0  # it waits for the rest
    except Gone:
        tally.ended += 1
        return 0
    tally.statuses[status] += 1
    if status >= 500:
        tally.faults.append(f"an answer of {status}")
    return status


async def _read(connection: RawConnection) -> None:
    with contextlib.suppress(OSError):
        while await connection.reader.read(65_536):
            pass
