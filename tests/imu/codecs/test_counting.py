"""Counted samples against simulated links: skew, bunching, holds, stalls, losses."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.clock import fit_clock
from imu.codecs.counting import CountedClock, counting_rate
from imu.frames import Sample

STILL = ((0.0, 0.0, 9.81), (0.0, 0.0, 0.0))
EVENTS_S = st.floats(0.0075, 0.05)
SKEWS = st.floats(-0.02, 0.02)
RATES = st.sampled_from([50.0, 100.0, 200.0])
SIZES = st.sampled_from([1, 3, 4])
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Packet:
    """Samples from ``first`` on, the last of them taken at ``taken_s`` and received later."""

    first: int
    taken_s: float
    arrival_s: float


@dataclass(frozen=True)
class Link:
    """A sensor whose packets leave at the link's events, some of which fail."""

    rate_hz: float
    size: int
    event_s: float
    skew: float
    seed: int

    def packets(self, span_s: float) -> list[Packet]:
        rng = random.Random(self.seed)
        phase_s, last_s, out = rng.uniform(0.0, self.event_s), 0.0, []
        for first in range(0, int(span_s * self.rate_hz) // self.size * self.size, self.size):
            taken_s = (first + self.size - 1) / self.rate_hz * (1.0 + self.skew)
            event_s = math.ceil((taken_s - phase_s) / self.event_s) * self.event_s + phase_s
            event_s += self.event_s * (rng.random() < 0.05)
            last_s = max(last_s, event_s + rng.uniform(0.0, 0.003))
            out.append(Packet(first, taken_s, 1000.0 + last_s))
        return out

    def clock(self) -> CountedClock:
        return CountedClock(self.rate_hz)

    @property
    def jitter_s(self) -> float:
        """One packet, and how much later than usual one may come."""
        return self.size / self.rate_hz + self.event_s + 0.01


LINKS = st.builds(Link, RATES, SIZES, EVENTS_S, SKEWS, SEEDS)


def numbered(packet: Packet, size: int) -> list[tuple]:
    """Readings that tell which sample they are."""
    return [((float(packet.first + i), 0.0, 0.0), STILL[1]) for i in range(size)]


def number(sample: Sample) -> int:
    return int(sample.acc_ms2[0])


def place(link: Link, packets: list[Packet]) -> list[Sample]:
    clock, out = link.clock(), []
    for packet in packets:
        out += clock.place(numbered(packet, link.size), packet.arrival_s)
    out += clock.finish()
    assert all(before.time_s < after.time_s for before, after in pairwise(out))
    assert [number(s) for s in out] == [p.first + i for p in packets for i in range(link.size)]
    return out


def jumps(samples: list[Sample], rate_hz: float) -> dict[int, int]:
    """Samples left out, by the number of the sample that follows."""
    counts = [round((s.time_s - samples[0].time_s) * rate_hz) for s in samples]
    ahead = zip(samples[1:], pairwise(counts), strict=True)
    return {number(s): after - before - 1 for s, (before, after) in ahead if after != before + 1}


@given(link=LINKS, span_s=st.sampled_from([5.0, 20.0, 50.0]))
def test_bunching_and_skew_are_no_loss(link, span_s):
    samples = place(link, link.packets(span_s))
    base_s = samples[0].time_s
    # exactly: not a drift, not a rounding
    assert [s.time_s for s in samples] == [base_s + k / link.rate_hz for k in range(len(samples))]


def held(packets: list[Packet], begin_s: float, long_s: float, event_s: float, most: int):
    """What is taken during a hold leaves after it, so many packets at each event."""
    begin_s += 1000.0
    queued, last_s = 0, 0.0
    for packet in packets:
        arrival_s = packet.arrival_s
        if arrival_s > begin_s:
            leaves_s = begin_s + long_s + queued // most * event_s + queued % most * 1e-4
            arrival_s, queued = max(arrival_s, leaves_s), queued + 1
        last_s = max(last_s, arrival_s)
        yield Packet(packet.first, packet.taken_s, last_s)


@given(
    link=LINKS,
    begin_s=st.floats(1.0, 15.0),
    long_s=st.floats(0.3, 3.0),
    surplus=st.sampled_from([1.5, 3.0, 100.0]),
)
def test_a_link_that_was_held_loses_nothing(link, begin_s, long_s, surplus):
    most = math.ceil(surplus * link.event_s * link.rate_hz / link.size)
    packets = list(held(link.packets(begin_s + 12.0), begin_s, long_s, link.event_s, most))
    assert jumps(place(link, packets), link.rate_hz) == {}


@given(link=LINKS, begin_s=st.floats(5.0, 15.0), long_s=st.floats(0.3, 1.9))
def test_a_stall_is_counted_where_it_was(link, begin_s, long_s):
    packets = link.packets(begin_s + 8.0)
    kept = [p for p in packets if not begin_s < p.taken_s < begin_s + long_s]
    lost = (len(packets) - len(kept)) * link.size
    found = jumps(place(link, kept), link.rate_hz)
    after = next(p.first for p in kept if p.taken_s > begin_s)
    assert list(found) == [after]
    assert abs(found[after] - lost) / link.rate_hz <= link.jitter_s


@given(link=LINKS, begin_s=st.floats(1.0, 5.0), long_s=st.floats(0.3, 1.9))
def test_an_early_stall_is_told_as_well_as_an_unknown_skew_allows(link, begin_s, long_s):
    packets = link.packets(begin_s + 8.0)
    kept = [p for p in packets if not begin_s < p.taken_s < begin_s + long_s]
    lost = (len(packets) - len(kept)) * link.size
    found = jumps(place(link, kept), link.rate_hz)
    unknown_s = abs(link.skew) * (begin_s + long_s)
    assert len(found) == 1
    assert abs(sum(found.values()) - lost) / link.rate_hz <= link.jitter_s + unknown_s


@given(link=LINKS, share=st.sampled_from([0.001, 0.005]), seed=SEEDS)
def test_single_losses_leave_no_growing_error(link, share, seed):
    rng = random.Random(seed)
    packets = [p for p in link.packets(40.0) if rng.random() > share]
    samples = place(link, packets)
    taken_s = np.array([number(s) / link.rate_hz * (1.0 + link.skew) for s in samples])
    arrival_s = np.repeat([p.arrival_s for p in packets], link.size)
    time_s = np.array([s.time_s for s in samples])
    mapped_s = fit_clock(time_s, arrival_s).to_host(time_s) - 1000.0
    # as the reader of a recording sees them; a lone loss cannot be told from the jitter, so this
    # only bounds what the clock makes of them: it neither runs away nor overshoots
    assert np.abs(mapped_s - taken_s).max() < 0.3


@given(link=LINKS, lost=st.integers(2, 4))
def test_losses_of_a_tenth_of_a_second_in_steps_are_made_good(link, lost):
    """Each step is within the jitter; together they are not."""
    step = max(1, round(0.04 * link.rate_hz / link.size))  # packets, some 40 ms
    packets = link.packets(40.0)
    begin = len(packets) // 2
    away = {begin + i * 2 * step + j for i in range(lost) for j in range(step)}
    samples = place(link, [p for i, p in enumerate(packets) if i not in away])
    missing_s = len(away) * link.size / link.rate_hz
    found_s = sum(jumps(samples, link.rate_hz).values()) / link.rate_hz
    assert missing_s - 0.13 <= found_s <= missing_s + link.jitter_s


@given(link=LINKS, away_s=st.floats(0.2, 20.0))
def test_after_a_lost_link_the_next_sample_is_placed_by_its_arrival(link, away_s):
    clock, before_s, out = link.clock(), 20.0, []
    for packet in link.packets(25.0 + away_s):
        if before_s < packet.taken_s < before_s + away_s:
            if not clock._relinked:
                clock.relink(link.rate_hz)
            continue
        out += clock.place(numbered(packet, link.size), packet.arrival_s)
    out += clock.finish()
    times = {number(s): s.time_s for s in out}
    assert list(times.values()) == sorted(set(times.values()))
    first, last = out[0], out[-1]
    passed_s = (number(last) - number(first)) / link.rate_hz
    unknown_s = 0.006 * away_s  # what 20 s of arrivals leave open of the skew
    assert abs(last.time_s - first.time_s - passed_s) <= link.jitter_s + unknown_s


def cut(rng: random.Random, readings: list) -> Iterator[list]:
    while readings:
        size = rng.randint(1, len(readings))
        yield readings[:size]
        readings = readings[size:]


@given(link=LINKS, seed=SEEDS, stalls=st.booleans())
def test_it_does_not_matter_how_what_arrives_together_is_cut(link, seed, stalls):
    packets = link.packets(20.0)
    if stalls:
        packets = [p for p in packets if not 8.0 < p.taken_s < 9.0]
    packets = list(held(packets, 13.0, 1.0, link.event_s, 8))
    rng, clock, out = random.Random(seed), link.clock(), []
    for packet in packets:
        for part in cut(rng, numbered(packet, link.size)):
            out += clock.place(part, packet.arrival_s)
    assert [*out, *clock.finish()] == place(link, packets)


@given(link=LINKS, seed=SEEDS)
def test_samples_known_to_be_missing_are_counted(link, seed):
    rng, clock, out = random.Random(seed), link.clock(), []
    for packet in link.packets(10.0):
        readings = numbered(packet, link.size)
        gone = rng.random() < 0.2 and packet.first > 0
        out += clock.place([None] * link.size if gone else readings, packet.arrival_s)
    out += clock.finish()
    base_s = out[0].time_s
    assert [s.time_s for s in out] == [base_s + number(s) / link.rate_hz for s in out]


@given(
    arrivals=st.lists(st.floats(0.0, 1e7), max_size=40),
    sizes=st.lists(st.integers(0, 5), min_size=40, max_size=40),
    relinks=st.sets(st.integers(0, 39)),
)
def test_whatever_the_arrivals_times_increase_and_no_sample_is_lost(arrivals, sizes, relinks):
    clock, out, count = CountedClock(100.0), [], 0
    for i, (arrival_s, size) in enumerate(zip(arrivals, sizes, strict=False)):
        if i in relinks:
            clock.relink(100.0 if i % 2 else 60.0)
        out += clock.place([STILL] * size, arrival_s)
        count += size
    out += clock.finish()
    assert len(out) == count
    assert all(before.time_s < after.time_s for before, after in pairwise(out))


def test_what_follows_a_silence_is_held_back_until_it_can_be_told():
    clock = CountedClock(100.0)
    for k in range(500):
        assert len(clock.place([STILL], k * 0.01)) == 1
    assert clock.place([STILL], 6.0) == ()  # a backlog may follow, or not
    seen = []
    for k in range(1, 40):
        seen += [(k, len(clock.place([STILL], 6.0 + k * 0.01)))]
    first = next(k for k, count in seen if count)
    assert 0.2 <= first * 0.01 <= 0.3
    assert dict(seen)[first] == first + 1
    assert all(count == 1 for k, count in seen if k > first)


def test_a_backlog_is_let_go_as_soon_as_it_has_drained():
    clock = CountedClock(100.0)
    for k in range(500):
        clock.place([STILL], k * 0.01)
    counts = [len(clock.place([STILL], 6.0 + i * 1e-4)) for i in range(100)]
    assert sum(counts) == 100
    assert counts[-10:] == [1] * 10


@pytest.mark.parametrize(
    ("settings", "rate_hz"),
    [
        ({"rate_hz": 200.0}, 200.0),
        ({"rate_hz": 200.0, "measured_rate_hz": None}, 200.0),
        ({"rate_hz": 200, "measured_rate_hz": 61.0}, 61.0),
        ({"rate_hz": 100.0, "measured_rate_hz": 96.0}, 100.0),  # a skew, or a short look
    ],
)
def test_a_measured_rate_counts_where_it_clearly_differs(settings, rate_hz):
    assert counting_rate(settings) == rate_hz


def scripted(count: int, arrival: Callable[[int], float]) -> list[Sample]:
    clock = CountedClock(100.0)
    return [s for k in range(count) for s in clock.place([STILL], arrival(k))]


@pytest.mark.parametrize("skew", [-0.045, 0.045])
def test_a_sensor_off_by_what_a_reader_allows_is_followed(skew):
    assert jumps_by_time(scripted(9000, lambda k: k * 0.01 * (1.0 + skew))) == []


def jumps_by_time(samples: list[Sample]) -> list[float]:
    return [b.time_s - a.time_s for a, b in pairwise(samples) if b.time_s - a.time_s > 0.011]
