"""Sensors that can put themselves on one common clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from imu.codecs.protocol import Synchroniser
from imu.collector.observer import Observer
from imu.collector.sensor import END_S, Sensor
from imu.errors import CallError, LinkError


async def synchronise(sensors: Sequence[Sensor], observer: Observer, find_s: float) -> None:
    """Put sensors that are set up, but not streaming, on one common clock.

    Raises
    ------
    CallError
        A family cannot do it, or they are of different families.
    LinkError
        A sensor did not come back, or says that it failed.
    """
    families = {one.codec.name for one in sensors}
    codec = sensors[0].codec
    if len(families) > 1 or not isinstance(codec, Synchroniser):
        names = ", ".join(sorted({one.codec.model for one in sensors}))
        raise CallError(f"--sync: {names} cannot synchronise among themselves. Leave it out.")
    observer.say(f"The sensors synchronise; this takes about {codec.sync_s + 10:.0f} s.")
    await stop_synchronising(sensors)
    root = await sensors[0].talk(codec.sync_address())
    for one in sensors:
        await one.talk(codec.start_sync(root))
    await asyncio.gather(*(one.let_go() for one in sensors))
    await asyncio.sleep(codec.sync_s)
    await asyncio.gather(*(one.open(find_s) for one in sensors))
    for one in sensors:
        trouble = await one.talk(codec.sync_result())
        if trouble:
            raise LinkError(
                f"{one.codec.model} {one.address} did not synchronise: {trouble}. "
                "Try again with the sensors close together, or leave out --sync."
            )


async def stop_synchronising(sensors: Sequence[Sensor]) -> None:
    """Have the sensors leave the common clock; never fails, takes a bounded time."""
    await asyncio.gather(*(_stop(one) for one in sensors))


async def _stop(sensor: Sensor) -> None:
    if isinstance(sensor.codec, Synchroniser):
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(END_S):
                await sensor.talk(sensor.codec.stop_sync())
