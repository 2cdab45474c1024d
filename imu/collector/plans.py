"""What to record, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imu.codecs.protocol import Codec
from imu.collector.observer import SensorStatus
from imu.collector.writing import SetPlan
from imu.errors import HiprotError
from imu.frames import Batch
from imu.recording import SessionInfo


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What to record.

    Attributes
    ----------
    set_plan : SetPlan
        Where to.
    roles : Mapping of str to str or None
        Address by segment; None where movement shall tell.
    codecs : Mapping of str to Codec
        Families to use.
    rate_hz : float or None
        At least so many samples a second; None for each family's usual rate.
    info : SessionInfo
        What ``session.json`` shall say besides the sensors.
    seconds : float or None
        To record after the countdown; None until stopped.
    sync : bool
        Whether the sensors put themselves on one clock first.
    go : str
        What is said when the countdown is over.
    preview : callable or None
        Is handed every `Batch` before the set, once it is known who wears what.
    ready : callable
        Whether the set may begin, for all that the caller knows; asked again and again.
    find_s, still_s, countdown_s, give_up_s : float
        How long to look for sensors; to wait for stillness; to count down; to wait for a lost one.
    """

    set_plan: SetPlan
    roles: Mapping[str, str | None]
    codecs: Mapping[str, Codec]
    rate_hz: float | None = None
    info: SessionInfo = field(default_factory=SessionInfo)
    seconds: float | None = None
    sync: bool = False
    go: str = "Go."
    preview: Callable[[Batch], None] | None = None
    ready: Callable[[], bool] = lambda: True
    find_s: float = 30.0
    still_s: float = 10.0
    countdown_s: float = 3.0
    give_up_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it.

    Attributes
    ----------
    set_name : str or None
        None where it was stopped before the set began.
    seconds : float
        From the first row to the last.
    sensors : tuple of SensorStatus
        At the end.
    failure : HiprotError or None
        Why it ended early; what was recorded by then is whole.
    """

    set_name: str | None
    seconds: float
    sensors: tuple[SensorStatus, ...]
    failure: HiprotError | None = None
