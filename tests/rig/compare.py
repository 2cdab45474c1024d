"""What sensors sent against what was recorded."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

CROSSED = ("sent", "truncated", "garbage")  # fates of what went over the air
IN_FLIGHT_S = 0.12  # some connection intervals
CUT_S = 0.8  # without anything sent: the link was cut


@dataclass(frozen=True)
class Compared:
    """One sensor's sent payloads against the kept ones.

    Attributes
    ----------
    sent, kept : int
        Between the first and the last that was kept.
    in_flight : int
        Missing, but handed to the radio so shortly before the link was cut that they never crossed.
    missing, doubled, swapped : int
        All 0 in a recording that lost nothing.
    """

    sent: int
    kept: int
    in_flight: int
    missing: int
    doubled: int
    swapped: int

    @property
    def whole(self) -> bool:
        return self.sent > 0 and self.missing == self.doubled == self.swapped == 0


@dataclass(frozen=True)
class Sent:
    """One payload: when it was handed to the radio, and when the next one was."""

    payload: str
    at_s: float
    next_s: float

    @property
    def last_before_a_cut(self) -> bool:
        return self.next_s - self.at_s > CUT_S


def sent_payloads(truth: Path) -> list[Sent]:
    """Payloads handed to the radio, in order, one entry a notification."""
    rows: list[tuple[str, float]] = []
    previous: tuple[str, str] | None = None
    with truth.open(newline="") as file:
        for row in csv.DictReader(file):
            notification = (row["wall_time"], row["payload"])
            if row["fate"] in CROSSED and notification != previous:
                rows += [(one, float(row["wall_time"])) for one in row["payload"].split("|")]
            previous = notification
    times = [at_s for _, at_s in rows]
    # the first one after each that comes a clear pause later, for those in flight at a cut
    later = [
        next((t for t in times[k + 1 :] if t - times[k] > IN_FLIGHT_S), float("inf"))
        for k in range(len(times))
    ]
    return [Sent(one, at_s, next_s) for (one, at_s), next_s in zip(rows, later, strict=True)]


def kept_payloads(frames: Path, segment: str) -> list[str]:
    """Payloads of one sensor in a kept-frames file, in order."""
    entries = [json.loads(line) for line in frames.read_text().splitlines()]
    return [one[3] for one in entries if isinstance(one, list) and one[0] == segment]


def compare(sent: list[Sent], kept: list[str]) -> Compared:
    """Compare from the first kept payload that was sent to the last one.

    Equal payloads (an empty one, two halves that repeat) are told apart by their order.
    """
    payloads = [one.payload for one in sent]
    known = set(payloads)
    stream = [payload for payload in kept if payload in known]
    if not stream:
        return Compared(len(sent), 0, 0, len(sent), 0, 0)
    start = at = _start(payloads, stream)
    missing = in_flight = doubled = swapped = 0
    for payload in stream:
        try:
            found = payloads.index(payload, at)
        except ValueError:
            before = payload in payloads[start:at]
            doubled, swapped = doubled + before, swapped + (not before)
            continue
        cut = sum(one.last_before_a_cut for one in sent[at:found])
        in_flight, missing = in_flight + cut, missing + found - at - cut
        at = found + 1
    return Compared(at - start, len(stream), in_flight, missing, doubled, swapped)


def _start(sent: list[str], stream: list[str]) -> int:
    """Find where the recording begins: the place at which most of its first payloads follow."""
    places = [index for index, payload in enumerate(sent) if payload == stream[0]]
    head = stream[:40]

    def agreement(place: int) -> int:
        return sum(a == b for a, b in zip(head, sent[place : place + 40], strict=False))

    return max(places, key=agreement)
