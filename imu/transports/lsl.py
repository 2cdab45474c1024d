"""Samples offered on the network by the Lab Streaming Layer: one stream a sensor.

The channels are in SI units and sensor axes, and hold both clocks, so that what a recorder of LSL
keeps is the recording itself, to the last bit. A stamp says when the batch was handed on, by LSL's
clock; samples of one batch lie as far apart as they do by the sensor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from imu.errors import MachineError
from imu.frames import Batch
from imu.recording import SensorInfo
from imu.units import ACC_COLUMNS, ARRIVAL_COLUMN, GYR_COLUMNS

if TYPE_CHECKING:
    from pylsl import StreamInfo

TYPE = "IMU"
CHANNELS = (
    *((label, "Acceleration", "m/s^2") for label in ACC_COLUMNS),
    *((label, "Gyroscope", "rad/s") for label in GYR_COLUMNS),
    ("time_s", "Time", "s"),
    (ARRIVAL_COLUMN, "Time", "s"),
)
NOT_INSTALLED = (
    "pylsl is not installed. Install the extra: pip install 'hip-rotation[lsl]', and liblsl where "
    "pylsl does not bring it."
)


class Outlets:
    """The streams of one set, offered until they are dropped.

    Parameters
    ----------
    session, set_name, side : str
        Where the samples belong; the streams are named ``hiprot SESSION SET SEGMENT``.
    sensors : Mapping of str to SensorInfo
        By segment: the streams to offer. An address is not passed on.
    rates_hz : Mapping of str to float, optional
        Nominal rates; irregular where there is none.

    Raises
    ------
    MachineError
        pylsl, or the library under it, is not installed.
    """

    def __init__(
        self,
        session: str,
        set_name: str,
        side: str,
        sensors: Mapping[str, SensorInfo],
        rates_hz: Mapping[str, float] | None = None,
    ) -> None:
        lsl = load()
        self._clock = lsl.local_clock
        self._outlets = {}
        for segment, sensor in sensors.items():
            name = f"hiprot {session} {set_name} {segment}"
            rate_hz = (rates_hz or {}).get(segment, sensor.rate_hz or lsl.IRREGULAR_RATE)
            info = lsl.StreamInfo(name, TYPE, len(CHANNELS), rate_hz, lsl.cf_double64, name)
            _describe(info, segment, side, sensor)
            self._outlets[segment] = lsl.StreamOutlet(info)

    def take(self, batch: Batch) -> None:
        """Offer a batch; segments without a stream are passed over."""
        outlet = self._outlets.get(batch.segment)
        if outlet is None:
            return
        now_s, last_s = self._clock(), batch.samples[-1].time_s
        for time_s, acc, gyr in batch.samples:
            row = [*acc, *gyr, time_s, batch.arrival_s]
            outlet.push_sample([float(value) for value in row], now_s - (last_s - time_s))


def _describe(info: StreamInfo, segment: str, side: str, sensor: SensorInfo) -> None:
    """Say what the channels are, where LSL's tools look for it."""
    described = info.desc()
    channels = described.append_child("channels")
    for label, kind, unit in CHANNELS:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("type", kind)
        channel.append_child_value("unit", unit)
    setup = described.append_child("setup")
    setup.append_child_value("segment", segment)
    setup.append_child_value("side", side)
    maker = described.append_child("acquisition")
    maker.append_child_value("model", sensor.model or "")
    maker.append_child_value("firmware", sensor.firmware or "")


def load() -> ModuleType:
    """Import pylsl.

    Raises
    ------
    MachineError
        It, or the library under it, is not installed.
    """
    try:
        import pylsl
    except (ImportError, RuntimeError, OSError):  # pylsl raises RuntimeError without its library
        raise MachineError(NOT_INSTALLED) from None
    module: ModuleType = pylsl
    return module
