"""What every family of sensors says of itself, and the values it exchanges with the collector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from imu.codecs.dialogue import Dialogue
from imu.errors import CallError, FrameError
from imu.frames import Advertisement, Frame, Sample

StreamSettings = Mapping[str, Any]
"""How a sensor was set for a stream: plain JSON values, ``rate_hz`` among them.

With them and the frames alone a decoder gives the same samples again, years later.
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sensor says of itself once it is connected; None where it does not say.

    Attributes
    ----------
    model : str
        For people: ``Movella DOT v2``.
    firmware : str or None
        As the maker writes it.
    battery_percent : float or None
        0 to 100.
    """

    model: str
    firmware: str | None = None
    battery_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out of one frame.

    Attributes
    ----------
    samples : tuple of Sample
        In the order they were taken; their times increase strictly over a decoder's whole life.
    refused : tuple of FrameError
        What could not be decoded, with its bytes.
    duplicates : int
        Samples that had come before, left out.
    restarts : int
        Times the sensor's clock started anew; what follows is placed by its arrival.
    battery_percent : float or None
        Where the frame told it.
    """

    samples: tuple[Sample, ...] = ()
    refused: tuple[FrameError, ...] = ()
    duplicates: int = 0
    restarts: int = 0
    battery_percent: float | None = None


NOTHING = Decoded()


class Decoder(Protocol):
    """Turns the frames of one sensor into samples; a pure function of settings and frames."""

    def feed(self, frame: Frame) -> Decoded:
        """Take one frame, of any characteristic, with any bytes; never raises.

        Answers to commands and the like give an empty `Decoded`. A sample spread over frames is
        kept until it is whole.
        """
        ...

    def relink(self, settings: StreamSettings) -> None:
        """Go on after a lost link or a restarted stream: halves of samples are dropped.

        The sensor's clock may have started anew. Times go on increasing.
        """
        ...

    def finish(self) -> Decoded:
        """The recording ends: give what was held back, if anything."""
        ...


@runtime_checkable
class Codec(Protocol):
    """One family of sensors.

    Attributes
    ----------
    name : str
        For programs: ``movella-dot``.
    model : str
        For people: ``Movella DOT``.
    rates_hz : tuple of float
        Rates it streams at, ascending.
    default_rate_hz : float
        One of them.
    clock : str
        In a few words, where the times of its samples come from.
    service : str
        UUID of a GATT service or characteristic that a connected sensor must have; without it
        the services were not all there yet.
    can_identify : bool
        Whether it can make itself seen.
    """

    name: str
    model: str
    rates_hz: tuple[float, ...]
    default_rate_hz: float
    clock: str
    service: str
    can_identify: bool

    def recognises(self, advertisement: Advertisement) -> bool:
        """Whether a device in a scan belongs to the family."""
        ...

    def describe(self) -> Dialogue[Identity]:
        """Ask for model, firmware and battery; changes nothing."""
        ...

    def identify(self) -> Dialogue[None]:
        """Make the sensor blink or the like; only where `can_identify`."""
        ...

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Stop what may still run, set rate and ranges, subscribe; the stream is not started."""
        ...

    def begin(self, settings: StreamSettings) -> Dialogue[None]:
        """Start the stream, after `prepare`."""
        ...

    def end(self, settings: StreamSettings) -> Dialogue[None]:
        """Stop the stream and leave the sensor as it is best left."""
        ...

    def decoder(self, device: str, settings: StreamSettings) -> Decoder:
        """Make a decoder for one sensor; ``device`` names it in errors."""
        ...


@runtime_checkable
class Synchroniser(Protocol):
    """A codec whose sensors can be put on one common clock, among themselves.

    The collector stops measuring, runs `start_sync` with one root on every sensor, disconnects all
    of them for `sync_s`, connects again and asks each for its `sync_result`.

    Attributes
    ----------
    sync_s : float
        How long the sensors need, disconnected.
    """

    sync_s: float

    def sync_address(self) -> Dialogue[str]:
        """Ask for the address by which other sensors know this one."""
        ...

    def start_sync(self, root: str) -> Dialogue[None]:
        """Order a sensor to synchronise with the root, which may be itself."""
        ...

    def sync_result(self) -> Dialogue[str]:
        """Ask how it went: empty where it went well, else what went wrong."""
        ...

    def stop_sync(self) -> Dialogue[None]:
        """Leave the common clock; saves the battery."""
        ...


def choose_rate(codec: Codec, rate_hz: float | None) -> float:
    """Choose the rate to set: the lowest the family has that is not below the wanted one.

    Raises
    ------
    CallError
        It has none so high.
    """
    if rate_hz is None:
        return codec.default_rate_hz
    for rate in codec.rates_hz:
        if rate >= rate_hz:
            return rate
    known = ", ".join(f"{rate:g}" for rate in codec.rates_hz)
    raise CallError(f"--rate {rate_hz:g}: {codec.model} streams at {known} Hz. Choose one of them.")
