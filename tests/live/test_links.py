"""Links that are lost, held, silent or refused, and what sensors say wrongly."""

from __future__ import annotations

import json
import random
from functools import partial
from itertools import count, pairwise
from pathlib import Path

import pytest

from imu.clock import align
from imu.collector import sensor as collected
from imu.emulators.witmotion import WitMotion
from imu.errors import LinkError
from imu.formats.setfile import format_batch, parse_set
from tests.live.world import (
    CODECS,
    Row,
    Take,
    check_frames,
    check_times,
    check_whole,
    crossed,
    in_trouble,
    number_of,
    sensor,
    silences,
    take_set,
    together,
)

BUSY_S = 0.4  # by how much a busy machine may delay what is compared with the wall clock
FOLLOWED_S = 0.2  # counted samples are placed by their arrivals after a loss
DOT = "movella-dot"
RATE_ORDER = b"\xff\xaa\x03"  # of a WitMotion


def every_family(scenario):
    """The scenario of each family, which a failure names."""

    async def of_one(family: str, folder: Path) -> None:
        try:
            await scenario(folder, family)
        except Exception as error:
            error.add_note(family)
            raise

    return [partial(of_one, family) for family in CODECS]


def pair(family: str, **faults) -> dict:
    """A pelvis sensor, with faults, and a thigh sensor that is well."""
    return {"pelvis": sensor(family, 1, **faults), "thigh": sensor(family, 2)}


async def take_pair(family: str, folder: Path, *troubles, faults=None, **plan) -> Take:
    """Record a pair; the pelvis sensor has troubles so many seconds after the set began."""
    sensors = pair(family, **(faults or {}))
    meanwhile = in_trouble(*((after_s, sensors["pelvis"], *rest) for after_s, *rest in troubles))
    return await take_set(sensors, folder, meanwhile, **plan)


def check_all_whole(take: Take, family: str) -> None:
    for segment, one in take.sensors.items():
        check_whole(take.rows(segment), one, family)
    check_frames(take)
    parse_set(take.path.read_bytes(), "left", "left.csv")


def check_interrupted(take: Take, segment: str, why: str) -> float:
    """One dropout and one return, at the rows they are between; gives how long it was."""
    first_s = min(row.arrival_s for name in take.sensors for row in take.rows(name))
    ((last, back),) = silences(take.rows(segment))
    dropout, reconnect = take.events()
    assert (dropout.kind, reconnect.kind) == ("dropout", "reconnect")
    assert (dropout.set_name, reconnect.set_name) == ("left", "left")
    assert dropout.text == f"{segment}: {why}"
    assert reconnect.text.startswith(f"{segment}: back after ")
    assert dropout.time_s == pytest.approx(last.arrival_s - first_s, abs=3e-6)
    assert reconnect.time_s == pytest.approx(back.arrival_s - first_s, abs=3e-6)
    assert float(reconnect.text.split()[3]) == pytest.approx(
        back.arrival_s - last.arrival_s, abs=0.06
    )
    check_against_truth(take.sensors[segment], last, back)
    return back.arrival_s - last.arrival_s


def check_against_truth(one, last: Row, back: Row) -> None:
    """The rows around a silence arrived when their samples were sent."""
    truth = {number_of(each.gyr_rads): each for each in one.truth}
    for row in (last, back):
        sent_s = one._host_s(truth[row.number].time_s)
        assert -0.01 < row.arrival_s - sent_s < BUSY_S + 20 / 52  # a packet's first sample waits
    away_s = truth[back.number].time_s - truth[last.number].time_s
    assert back.time_s - last.time_s == pytest.approx(away_s, abs=FOLLOWED_S)


# --- lost links


async def a_lost_link_comes_back(folder: Path, family: str) -> None:
    take = await take_pair(family, folder, (0.8, "drop", 1.2), seconds=5.0)
    check_all_whole(take, family)
    assert take.recorded.failure is None
    assert check_interrupted(take, "pelvis", "link lost") > 1.2
    assert (take.status("pelvis").reconnects, take.status("thigh").reconnects) == (1, 0)
    assert not silences(take.rows("thigh"))


async def a_link_is_lost_for_long(folder: Path) -> None:
    take = await take_pair(DOT, folder, (0.8, "drop", 3.5), seconds=6.5)
    check_all_whole(take, DOT)
    assert check_interrupted(take, "pelvis", "link lost") > 3.5


async def both_links_are_lost_at_once(folder: Path) -> None:
    sensors = pair(DOT)
    troubles = in_trouble(*((0.8, one, "drop", 1.0) for one in sensors.values()))
    take = await take_set(sensors, folder, troubles, seconds=4.0)
    check_all_whole(take, DOT)
    kinds = sorted((event.kind, event.text.split(":")[0]) for event in take.events())
    assert kinds == [(k, s) for k in ("dropout", "reconnect") for s in ("pelvis", "thigh")]


async def a_link_is_lost_again_and_again(folder: Path) -> None:
    troubles = [(after_s, "drop", 0.3) for after_s in (0.5, 1.7, 2.9)]
    take = await take_pair(DOT, folder, *troubles, seconds=5.0)
    check_all_whole(take, DOT)
    assert take.status("pelvis").reconnects == 3
    assert [event.kind for event in take.events()] == ["dropout", "reconnect"] * 3


async def a_sensor_does_not_come_back(folder: Path) -> None:
    take = await take_pair(DOT, folder, (0.8, "off"), seconds=60.0, give_up_s=2.0)
    check_all_whole(take, DOT)
    assert isinstance(take.recorded.failure, LinkError)
    assert "Movella DOT D4:22:CD:00:00:01 did not come back for 2 s." in str(take.recorded.failure)
    assert take.recorded.failure.exit_status == 1
    assert [event.kind for event in take.events()] == ["dropout"]
    lasted_s = {name: take.rows(name)[-1].arrival_s for name in take.sensors}
    assert lasted_s["thigh"] - lasted_s["pelvis"] > 1.9


async def connections_are_refused(folder: Path) -> None:
    take = await take_pair(DOT, folder, faults={"refuse_first": 2})
    check_all_whole(take, DOT)
    assert take.sensors["pelvis"].peripheral.controller.refused == 2
    assert take.events() == []


def test_lost_links(tmp_path):
    together(tmp_path, *every_family(a_lost_link_comes_back), both_links_are_lost_at_once)


def test_links_lost_otherwise(tmp_path):
    together(
        tmp_path,
        a_link_is_lost_for_long,
        a_link_is_lost_again_and_again,
        a_sensor_does_not_come_back,
        connections_are_refused,
    )


# --- silence


async def a_short_hold_is_nothing(folder: Path, family: str) -> None:
    """Nor is what is sent before a subscription is acknowledged."""
    faults = {"early_notify": True}
    take = await take_pair(family, folder, (0.8, "hold", 0.7), seconds=3.0, faults=faults)
    check_all_whole(take, family)
    check_times(take.rows("pelvis"), take.sensors["pelvis"], family)
    assert take.events() == []
    assert (take.status("pelvis").reconnects, take.status("pelvis").lost) == (0, 0)
    assert links(take) == {"pelvis": 1, "thigh": 1}


async def a_silent_sensor_is_started_anew(folder: Path, family: str) -> None:
    take = await take_pair(family, folder, (0.8, "stall", 2.6), seconds=5.0)
    check_all_whole(take, family)
    check_interrupted(take, "pelvis", "silent")
    assert take.status("pelvis").reconnects == 0
    assert links(take) == {"pelvis": 2, "thigh": 1}
    ((last, _),) = silences(take.rows("pelvis"))
    told_s = take.person.said_s[take.said.index("The pelvis sensor: silent.")]
    assert 1.4 < told_s - last.arrival_s < 2.0 + BUSY_S


def links(take: Take) -> dict[str, int]:
    """How often each sensor's stream was started, by the kept frames."""
    path = take.folder / f"{take.recorded.set_name}.frames.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    linked = [one["link"] for one in entries if isinstance(one, dict) and "link" in one]
    return {segment: linked.count(segment) for segment in take.sensors}


def test_a_short_hold_is_nothing(tmp_path):
    together(tmp_path, *every_family(a_short_hold_is_nothing))


def test_a_silent_sensor_is_started_anew(tmp_path):
    together(tmp_path, *every_family(a_silent_sensor_is_started_anew))


def test_a_sensor_that_stays_silent_is_linked_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(collected, "SILENT_S", 0.5)
    monkeypatch.setattr(collected, "RESTART_S", 0.7)

    async def scenario(folder):
        take = await take_pair(DOT, folder, (0.8, "stall", 2.8), seconds=5.0)
        check_all_whole(take, DOT)
        assert take.status("pelvis").reconnects == 1
        assert take.sensors["pelvis"].peripheral.connects == 2
        assert [event.kind for event in take.events()] == ["dropout", "reconnect"]

    together(tmp_path, scenario)


# --- what sensors say wrongly


class Spoiler(random.Random):
    """Spoils so that no family takes it for a sample: beyond any range, cut near the end."""

    def randbytes(self, n: int) -> bytes:
        return b"\x7f" * n

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        del start, step
        return stop - 7


async def dirt_is_counted_and_kept(folder: Path, family: str) -> None:
    sensors = pair(family)
    sensors["pelvis"]._random = Spoiler(1)
    kinds = ((0.5, "garbage"), (1.2, "truncate"), (1.9, "empty"))
    troubles = in_trouble(*((at, sensors["pelvis"], "next_bad", kind) for at, kind in kinds))
    take = await take_set(sensors, folder, troubles)
    check_all_whole(take, family)
    assert take.events() == []
    assert crossed(sensors["pelvis"], "garbage")
    lines = (folder / "left.refused.jsonl").read_text().splitlines()
    refused = [json.loads(line) for line in lines]
    assert all(
        set(one) == {"sensor", "arrival_s", "characteristic", "hex", "error"} for one in refused
    )
    assert {one["sensor"] for one in refused} == {"pelvis"}
    assert len(refused) == take.status("pelvis").refused
    assert take.status("thigh").refused == 0
    assert any("7f7f7f7f" in one["hex"] for one in refused)
    kept = {frame for frame in payloads(take) if "7f7f7f7f" in frame}
    assert kept <= {one["hex"] for one in refused}


def payloads(take: Take) -> list[str]:
    path = take.folder / "left.frames.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [one[3] for one in entries if isinstance(one, list)]


def test_dirt_is_counted_and_kept(tmp_path):
    together(tmp_path, *every_family(dirt_is_counted_and_kept))


# --- clocks, batteries, and sensors that are not alike


async def clocks_differ(folder: Path) -> None:
    ppm = {"pelvis": 6000.0, "thigh": -6000.0}
    sensors = {
        "pelvis": sensor(DOT, 1, clock_offset_s=3.0, clock_ppm=ppm["pelvis"]),
        "thigh": sensor(DOT, 2, clock_offset_s=4000.0, clock_ppm=ppm["thigh"]),
    }
    take = await take_set(sensors, folder, seconds=5.0)
    check_all_whole(take, DOT)
    fits = align(parse_set(take.path.read_bytes(), "left", "left.csv")).fits
    for segment, one in sensors.items():
        check_times(take.rows(segment), one, DOT)
        # 5 s of arrivals that vary by milliseconds tell a skew to some hundred ppm
        assert fits[segment].skew_ppm == pytest.approx(ppm[segment], abs=1500.0)


async def a_counter_wraps(folder: Path) -> None:
    wrap_s = 2**32 * 1e-6
    sensors = pair(DOT, clock_offset_s=wrap_s - 4.5)
    take = await take_set(sensors, folder, seconds=4.0)
    check_all_whole(take, DOT)
    rows = take.rows("pelvis")
    assert rows[0].time_s < wrap_s < rows[-1].time_s
    check_times(rows, sensors["pelvis"], DOT)


async def families_are_mixed(folder: Path) -> None:
    families = {"pelvis": DOT, "thigh": "movesense", "shank": "thingy52"}
    sensors = {segment: sensor(family, at) for at, (segment, family) in enumerate(families.items())}
    take = await take_set(sensors, folder)
    rates_hz = {"pelvis": 60.0, "thigh": 104.0, "shank": 50.0}
    for segment, family in families.items():
        check_whole(take.rows(segment), sensors[segment], family)
        check_times(take.rows(segment), sensors[segment], family)
        assert take.status(segment).rate_hz == rates_hz[segment]
    check_frames(take)


async def a_rate_is_asked_for(folder: Path) -> None:
    families = {"pelvis": DOT, "thigh": "metamotion"}
    sensors = {segment: sensor(family, at) for at, (segment, family) in enumerate(families.items())}
    take = await take_set(sensors, folder, rate_hz=28.0)
    for segment, rate_hz in (("pelvis", 30.0), ("thigh", 50.0)):
        assert sensors[segment].emulator.rate_hz == rate_hz
        check_whole(take.rows(segment), sensors[segment], families[segment])


def deaf(emulator: WitMotion, orders: int) -> None:
    """Have a sensor miss the first orders for its rate, as writes without response may be."""
    listen = emulator.write
    missed = count(1)

    def write(characteristic, data, time_s):
        if data[:3] == RATE_ORDER and next(missed) <= orders:
            return []
        return listen(characteristic, data, time_s)

    emulator.write = write


async def an_order_that_was_missed_is_given_again(folder: Path) -> None:
    sensors = pair("witmotion")
    deaf(sensors["pelvis"].emulator, 1)
    take = await take_set(sensors, folder)
    check_all_whole(take, "witmotion")
    check_times(take.rows("pelvis"), sensors["pelvis"], "witmotion")
    assert sensors["pelvis"].emulator.rate_hz == 100.0
    assert not any("delivers" in line for line in take.said)


async def a_sensor_that_stays_slow_is_told(folder: Path) -> None:
    sensors = pair("witmotion")
    deaf(sensors["pelvis"].emulator, 9)
    take = await take_set(sensors, folder)
    check_all_whole(take, "witmotion")
    steps = [b.time_s - a.time_s for a, b in pairwise(take.rows("pelvis"))]
    assert steps == pytest.approx([0.1] * len(steps), rel=0.01)  # by the rate it delivers
    assert "The pelvis sensor delivers 10 of 100 samples a second." in take.said


async def batteries_run_low(folder: Path) -> None:
    sensors = pair(DOT)
    sensors["thigh"].faults.battery_percent = 12.0
    sensors["thigh"].emulator.battery_percent = 12.0
    troubles = in_trouble((0.5, sensors["pelvis"], "battery", 9.0))
    take = await take_set(sensors, folder, troubles)
    check_all_whole(take, DOT)
    assert "The battery of D4:22:CD:00:00:02 is low: 12 %." in take.said
    assert "The battery of the pelvis sensor is low: 9 %." in take.said
    assert sum("battery" in one for one in take.said) == 2
    assert take.status("pelvis").battery_percent == 9.0


async def who_watches_live_sees_every_row(folder: Path) -> None:
    seen = []

    def fails(_batch):
        raise ValueError("no screen")

    take = await take_pair(DOT, folder, consumers=[fails, seen.append])
    check_all_whole(take, DOT)
    body = take.path.read_text().partition("\n")[2]
    assert "".join(format_batch(batch) for batch in seen) == body
    assert [one for one in take.said if "live" in one] == [
        "The live display failed (ValueError: no screen)."
    ]


def test_sensors_are_not_alike(tmp_path):
    together(
        tmp_path,
        clocks_differ,
        a_counter_wraps,
        families_are_mixed,
        a_rate_is_asked_for,
        an_order_that_was_missed_is_given_again,
        a_sensor_that_stays_slow_is_told,
        batteries_run_low,
        who_watches_live_sees_every_row,
    )
