"""One sensor's life: found, set up, streaming, lost, silent, back again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from imu.codecs.dialogue import Dialogue, Result
from imu.codecs.protocol import Codec, Decoded, Identity, StreamSettings
from imu.collector.discovery import Discovery
from imu.collector.exchange import Inbox, converse
from imu.errors import LinkError, MachineError
from imu.frames import Frame
from imu.transports.hostclock import now
from imu.transports.links import Link

CONNECT_S = 10.0
POLL_S = 0.1
SILENT_S = 1.5  # without a sample: said
RESTART_S = 2.0  # the stream is started anew
USUAL_GAPS = 3.0  # but not before so many of the sensor's usual pauses: some send large packets
RESTARTS = 2  # then the link is given up, and made anew
FIRST_PAUSE_S, MAX_PAUSE_S = 0.2, 5.0
END_S = 3.0


@dataclass(frozen=True, slots=True)
class Linked:
    """A stream starts, with these settings; frames that follow are of it."""

    settings: StreamSettings


Item = Frame | Linked
Note = Callable[["Sensor", float, Decoded], None]
"""Told of a sensor's frame: when it came and what came out of it."""


class Sensor:
    """One sensor, kept streaming.

    Parameters
    ----------
    address : str
        As heard in a scan.
    codec : Codec
        Its family.
    rate_hz : float
        To be set.
    discovery : Discovery
        Finds it, and knows the radio.
    put : callable
        Takes the sensor and, in the order they come, its frames and `Linked`.
    """

    def __init__(
        self,
        address: str,
        codec: Codec,
        rate_hz: float,
        discovery: Discovery,
        put: Callable[[Sensor, Item], None],
    ) -> None:
        self.address = address
        self.codec = codec
        self.rate_hz = rate_hz
        self.identity = Identity(codec.model)
        self.battery_percent: float | None = None
        self.settings: StreamSettings = {"rate_hz": rate_hz}
        self.state = "not connected"
        self.reconnects = 0
        self.last_sample_s: float | None = None
        self.catch_up: Callable[[], None] = lambda: None
        self.on_outage: Callable[[Sensor, str], None] = lambda *_: None
        self.on_return: Callable[[Sensor, float], None] = lambda *_: None
        self._discovery = discovery
        self._put = put
        self._link: Link | None = None
        self._inbox = Inbox(self._forward)
        self._streaming = False
        self._out_since_s: float | None = None
        self._restarts = 0
        self._start_anew: bool | None = None  # None: nobody asked for it yet
        self._usual_gap_s = 0.0
        self._just_heard = True  # it was, by whoever chose it

    # --- what comes in

    def _forward(self, frame: Frame) -> None:
        if self._streaming:  # what came before is of no stream that was started here
            self._put(self, frame)

    def note(self, arrival_s: float, decoded: Decoded) -> None:
        """Take notice of what came out of a frame: the battery, and that samples come."""
        if decoded.battery_percent is not None:
            self.battery_percent = decoded.battery_percent
        if decoded.samples:
            self._heard(arrival_s)

    def _heard(self, arrival_s: float) -> None:
        """Samples came."""
        if self.last_sample_s is not None and self._out_since_s is None:
            self._usual_gap_s += 0.1 * (arrival_s - self.last_sample_s - self._usual_gap_s)
        self.last_sample_s = arrival_s
        self._restarts = 0
        self.state = "streaming"
        if self._out_since_s is not None:
            away_s, self._out_since_s = arrival_s - self._out_since_s, None
            self.on_return(self, away_s)

    def _out(self, why: str) -> None:
        """Samples stay away: say so, once."""
        if self._out_since_s is None and self.last_sample_s is not None:
            self._out_since_s = self.last_sample_s
            self.on_outage(self, why)

    # --- setting up

    async def open(self, find_s: float) -> None:
        """Find it, connect, ask what it is, set it up; tries again until it is too late.

        Raises
        ------
        LinkError
            It was not found, or did not do as it should, for ``find_s``.
        MachineError
            The radio does not work.
        """
        deadline_s = now() + find_s
        pause_s = FIRST_PAUSE_S
        while True:
            left_s = max(deadline_s - now(), 0.1)
            try:
                if not self._just_heard:
                    await self._discovery.find(self.address, left_s)
                self._just_heard = False
                await self._set_up()
                return
            except LinkError as error:
                await self._drop()
                if now() + pause_s > deadline_s:
                    who = "" if self.address in str(error) else f"{self.address}: "
                    raise LinkError(f"{self.codec.model} {who}{error}") from None
            self.state = "trying again"
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def ask(self) -> None:
        """Connect to a sensor that was heard, and ask what it is; changes nothing.

        Raises
        ------
        LinkError
            It does not answer as it should.
        """
        self.state = "connecting"
        inbox = self._inbox = Inbox(self._forward)
        link = await self._discovery.radio.connect(
            self.address, inbox.receive, lambda: None, CONNECT_S
        )
        self._link = link
        if not link.has(self.codec.service):
            raise LinkError("its services were not all there. Switch it off and on")
        self.identity = await self.talk(self.codec.describe())
        if self.identity.battery_percent is not None:
            self.battery_percent = self.identity.battery_percent

    async def _set_up(self) -> None:
        """Connect and prepare; the stream is not started."""
        await self.ask()
        self.settings = await self.talk(self.codec.prepare(self.rate_hz))
        self.state = "ready"

    async def talk(self, dialogue: Dialogue[Result]) -> Result:
        """Carry out a dialogue on the link there is.

        Raises
        ------
        LinkError
            There is none, or it fails.
        """
        if self._link is None:
            dialogue.close()
            raise LinkError("there is no link")
        return await converse(self._link, self._inbox, dialogue)

    async def begin(self) -> None:
        """Start the stream.

        Raises
        ------
        LinkError
            The sensor does not do it.
        """
        self._put(self, Linked(self.settings))
        self._streaming = True
        self.state = "starting"
        await self.talk(self.codec.begin(self.settings))

    # --- keeping

    async def keep(self, give_up_s: float) -> None:
        """Watch the stream and bring it back, until cancelled.

        Raises
        ------
        LinkError
            It stayed away for ``give_up_s``.
        """
        begun_s = now()
        while True:
            await asyncio.sleep(POLL_S)
            self.catch_up()  # what waits to be decoded is no silence
            silent_s = now() - max(begun_s, self.last_sample_s or 0.0)
            if self._link is None or self._link.lost:
                self._out("link lost")
                await self._bring_back(give_up_s)
                begun_s = now()
            elif self._start_anew or silent_s > max(RESTART_S, USUAL_GAPS * self._usual_gap_s):
                if not self._start_anew:
                    self._out("silent")
                if not await self._restart():
                    await self._bring_back(give_up_s)
                if self._start_anew:
                    self._start_anew = False  # done, and not to be asked for again
                begun_s = now()
            elif silent_s > max(SILENT_S, USUAL_GAPS * self._usual_gap_s):
                self.state = "silent"
                self._out("silent")

    def start_anew(self) -> bool:
        """Have `keep` set it up once more, and only once; whether that is still to be done."""
        if self._start_anew is None:
            self._start_anew = True
        return self._start_anew

    async def _restart(self) -> bool:
        """Start the stream anew on the same link; False where that is of no use."""
        self._restarts += 1
        if self._restarts > RESTARTS:
            return False
        self.state = "starting it anew"
        try:
            self.settings = await self.talk(self.codec.prepare(self.rate_hz))
            await self.begin()
        except LinkError:
            return False
        return True

    async def _bring_back(self, give_up_s: float) -> None:
        """Make the link anew, as often as it takes."""
        away_since_s = self._out_since_s or now()
        pause_s = FIRST_PAUSE_S
        while True:
            self._streaming = False
            await self._drop()
            left_s = away_since_s + give_up_s - now()
            if left_s <= 0:
                raise LinkError(
                    f"{self.codec.model} {self.address} did not come back for {give_up_s:.0f} s. "
                    "Check its battery and distance, and record the set again."
                )
            self.state = "looking for it"
            try:
                await self._discovery.find(self.address, left_s)
                await self._set_up()
                await self.begin()
                self.reconnects += 1
                self._restarts = 0
                return
            except MachineError:  # the adapter may come back, too
                await asyncio.sleep(min(pause_s, max(left_s, 0.0)))
                pause_s = min(2 * pause_s, MAX_PAUSE_S)

    # --- ending

    async def end(self) -> None:
        """Stop the stream and let go; never fails."""
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(END_S):
                await self.talk(self.codec.end(self.settings))

    async def let_go(self) -> None:
        """Give up the link; never fails."""
        self.state = "ended"
        await self._drop()
        self._streaming = False

    async def _drop(self) -> None:
        """Disconnect, also where the link is lost: else the system keeps half of it."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()
