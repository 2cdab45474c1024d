"""Devices looked for: one scan for all who wait, since a machine has one scanner."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from imu.collector.tasks import end_tasks
from imu.errors import LinkError
from imu.frames import Advertisement
from imu.transports.links import Radio

WINDOW_S = 3.0
BETWEEN_S = 0.05


def same_address(one: str, other: str) -> bool:
    """Whether two texts name the same device; their case does not matter."""
    return one.casefold() == other.casefold()


class Discovery:
    """Scans as long as somebody waits for a device.

    Parameters
    ----------
    radio : Radio
        The machine's.
    """

    def __init__(self, radio: Radio) -> None:
        self.radio = radio
        self._waiting: dict[str, set[asyncio.Future[Advertisement]]] = {}
        self._scan: asyncio.Task[None] | None = None

    async def find(self, address: str, timeout_s: float) -> Advertisement:
        """Wait until a device is heard.

        Raises
        ------
        LinkError
            It was not, in time.
        MachineError
            The radio cannot scan.
        """
        key = address.casefold()
        waiter: asyncio.Future[Advertisement] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, set()).add(waiter)
        if self._scan is None or self._scan.done():
            self._scan = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except TimeoutError:
            raise LinkError(f"{address} was not heard for {timeout_s:.0f} s") from None
        finally:
            waiters = self._waiting.get(key, set())
            waiters.discard(waiter)
            if not waiters:
                self._waiting.pop(key, None)

    async def _look(self) -> None:
        """Scan in windows until nobody waits."""
        try:
            while self._waiting:
                async with aclosing(self.radio.scan(WINDOW_S)) as heard:
                    async for advertisement in heard:
                        self._tell(advertisement)
                        if not self._waiting:
                            break
                await asyncio.sleep(BETWEEN_S)
        except Exception as error:  # also a defect: nobody shall wait for a scan that is dead
            self._fail(error)

    def _tell(self, advertisement: Advertisement) -> None:
        for waiter in self._waiting.pop(advertisement.address.casefold(), ()):
            if not waiter.done():
                waiter.set_result(advertisement)

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for waiters in waiting.values():
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(error)

    async def close(self) -> None:
        """End a scan that is under way."""
        if self._scan is not None:
            await end_tasks([self._scan])
