"""What a radio offers to the collector: scanning, and links to single sensors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from imu.frames import Advertisement, Frame

Receive = Callable[[Frame], None]
"""Takes a notification, stamped on arrival; called by the radio, so it must only queue."""


class Link(Protocol):
    """A connection to one sensor.

    All methods raise `imu.errors.LinkError` where the link fails or the sensor does not answer in
    time. After `close`, or once it is lost, a link delivers nothing more, ever.
    """

    @property
    def lost(self) -> bool:
        """Whether the link is gone."""
        ...

    def has(self, uuid: str) -> bool:
        """Whether the sensor has a service or characteristic."""
        ...

    async def read(self, characteristic: str) -> bytes:
        """Read a characteristic."""
        ...

    async def write(self, characteristic: str, data: bytes, response: bool) -> None:
        """Write a characteristic."""
        ...

    async def subscribe(self, characteristic: str) -> None:
        """Have notifications delivered; subscribing twice does no harm."""
        ...

    async def unsubscribe(self, characteristic: str) -> None:
        """End notifications."""
        ...

    async def close(self) -> None:
        """Disconnect, also where the link is lost already; never raises, takes a bounded time."""
        ...


class Radio(Protocol):
    """The machine's radio, or what stands for it; one scan or one connection attempt at a time.

    Raises `imu.errors.MachineError` in one line where there is no adapter, it is off, a permission
    is missing, or the system's service does not run.
    """

    def scan(self, seconds: float) -> AsyncGenerator[Advertisement, None]:
        """Yield every advertisement as it is heard, each device again and again, for a time."""
        ...

    async def connect(
        self, address: str, receive: Receive, lost: Callable[[], None], timeout_s: float
    ) -> Link:
        """Connect to a device that was heard in a scan before.

        Parameters
        ----------
        address : str
            As in its `Advertisement`.
        receive : callable
            Called with every notification.
        lost : callable
            Called once when the link is lost, not when it is closed.
        timeout_s : float
            How long to try.

        Raises
        ------
        LinkError
            It does not answer, refuses or hangs up; scan again before the next attempt.
        """
        ...
