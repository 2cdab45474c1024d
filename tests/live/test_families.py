"""Every family at full rate, two sensors and three: nothing lost, doubled or out of turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from imu.formats.setfile import parse_set
from imu.storage.session import read_session
from tests.live.world import (
    CODECS,
    STARTED,
    Take,
    check_frames,
    check_times,
    check_whole,
    sensor,
    take_set,
)
from tests.radio.sensor import VirtualSensor


def split(emulator) -> None:
    emulator.split = True


def bmi270(emulator) -> None:
    emulator.chip = 270


def as_it_is(_emulator) -> None:
    """Nothing to adjust."""


# family, adjustment, model and firmware as session.json has them, least samples a second
VARIANTS = {
    "movella-dot": ("movella-dot", as_it_is, "Movella DOT v2", "3.0.0", 60),
    "movesense": ("movesense", as_it_is, "Movesense", "2.3.1", 104),
    "witmotion": ("witmotion", as_it_is, "WitMotion WT901BLE", None, 100),
    "witmotion-split": ("witmotion", split, "WitMotion WT901BLE", None, 100),
    "metamotion-160": ("metamotion", as_it_is, "MetaMotion R", "1.5.0", 100),
    "metamotion-270": ("metamotion", bmi270, "MetaMotion S", "1.7.2", 100),
    "thingy52": ("thingy52", as_it_is, "Nordic Thingy:52", None, 50),
    "polar-verity": ("polar-verity", as_it_is, "Polar Verity Sense", "3.0.16", 52),
}
BATTERY = {"pelvis": 60.0, "thigh": 75.0, "shank": 90.0}
SECONDS = 3.0


GROUPS = [  # recorded at the same time
    ("movella-dot", "movesense", "witmotion", "witmotion-split"),
    ("metamotion-160", "metamotion-270", "thingy52", "polar-verity"),
]


def worn(variant: str, segments: Iterable[str], **faults: float) -> dict[str, VirtualSensor]:
    family, adjust, *_ = VARIANTS[variant]
    return {
        segment: sensor(family, at, (), adjust, battery_percent=BATTERY[segment], **faults)
        for at, segment in enumerate(segments, 1)
    }


@pytest.mark.xdist_group("twenty sensors in real time")
@pytest.mark.parametrize("variants", GROUPS, ids=" ".join)
def test_what_is_sent_is_recorded(variants, tmp_path):
    async def go():
        takes = []
        for one in variants:
            two, three = worn(one, ("pelvis", "thigh")), worn(one, BATTERY, jitter_s=0.003)
            takes.append(take_set(two, tmp_path / one / "two", seconds=SECONDS))
            takes.append(take_set(three, tmp_path / one / "three", seconds=SECONDS))
        return await asyncio.gather(*takes)

    takes = asyncio.run(go())
    for at, take in enumerate(takes):
        check_take(take, variants[at // 2])


def check_take(take: Take, variant: str) -> None:
    family, _, model, firmware, rate_hz = VARIANTS[variant]
    assert take.recorded.failure is None
    recording = parse_set(take.path.read_bytes(), "left", "left.csv")
    assert (recording.cut_rows, set(recording.streams)) == (0, set(take.sensors))
    for segment, one in take.sensors.items():
        rows = take.rows(segment)
        check_whole(rows, one, family)
        check_times(rows, one, family)
        assert len(rows) >= SECONDS * rate_hz
        assert len(recording.streams[segment].time_s) == len(rows)
        status = take.status(segment)
        assert (status.samples, status.lost, status.refused) == (len(rows), 0, 0)
        assert (status.duplicates, status.reconnects) == (0, 0)
    check_frames(take)
    assert take.frames().head.started == STARTED
    assert take.events() == []
    assert not list(take.folder.glob("*.refused.jsonl"))
    check_info(take, model, firmware, CODECS[family].default_rate_hz)


def check_info(take: Take, model: str, firmware: str | None, rate_hz: float) -> None:
    info = read_session(take.folder).info
    assert info.subject == "P"
    assert set(info.sensors) == set(take.sensors)
    for segment, one in take.sensors.items():
        said = info.sensors[segment]
        assert (said.model, said.address, said.firmware) == (model, one.address, firmware)
        assert (said.rate_hz, said.battery_percent) == (rate_hz, BATTERY[segment])
