"""Virtual sensors around one adapter."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterable

from imu.transports.ble import BleRadio
from tests.radio.air import Air
from tests.radio.backend import Adapter, BumbleClient, BumbleScanner
from tests.radio.sensor import VirtualSensor
from tests.radio.sources import Play


def _tell_others(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """Pass over what goes wrong inside of bumble, where a request is broken off."""
    trace = getattr(context.get("exception"), "__traceback__", None)
    last = traceback.extract_tb(trace)[-1].filename if trace else ""
    if "bumble" not in last:
        loop.default_exception_handler(context)


class World:
    """Sensors and an adapter, in the event loop that first scans or enters.

    ``async with World([sensor, ...]) as world: radio = world.radio()``.
    """

    def __init__(self, sensors: Iterable[VirtualSensor], lead_s: float = 0.0) -> None:
        self.sensors = list(sensors)
        self.scanner = type("Scanner", (BumbleScanner,), {"world": self})
        self.client = type("Client", (BumbleClient,), {"world": self})
        self.adapter: Adapter | None = None
        self._lead_s = lead_s
        self._loop: asyncio.AbstractEventLoop | None = None

    async def power_on(self) -> None:
        if self._loop is asyncio.get_running_loop():
            return
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_tell_others)
        logging.getLogger("bumble").setLevel(logging.CRITICAL)  # it tells of every lost link
        air, play = Air(), Play(self._lead_s)
        self.adapter = Adapter(air)
        await self.adapter.device.power_on()
        for sensor in self.sensors:
            await sensor.power_on(air, play)

    async def __aenter__(self) -> World:
        await self.power_on()
        return self

    async def __aexit__(self, *_: object) -> None:
        for sensor in self.sensors:
            sensor.power_off()
        for connection in list(self.adapter.device.connections.values()):
            await connection.disconnect()

    def radio(self) -> BleRadio:
        return BleRadio(self.scanner, self.client)
