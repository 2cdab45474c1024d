"""Tracks of all files -> the sets of a session: which segment, which side, on one clock.

Nothing is guessed that a person should say: a sensor whose place neither its name nor the call
tells, a clock that nothing ties to the other's, are refused with what would help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from imu.clock import fit_plausible_clock
from imu.errors import CallError, RecordingError
from imu.importers.alignment import Shift, find_shift
from imu.importers.joining import join
from imu.importers.roles import segment_of, side_of
from imu.importers.splitting import Span, find_sets
from imu.importers.values import UNIX, Track
from imu.samples import Array, Stream
from imu.units import SEGMENTS, SIDES

MIN_OVERLAP_S = 1.0
NEAR_S = 5.0  # clocks set to the time of day are not further apart
TOLD_S = 0.05
SHAKE = (
    "Hold both sensors together and shake them for some seconds before strapping them on, "
    "record again, and import with that; or give files of one clock."
)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One track, where it came from.

    Attributes
    ----------
    track : Track
        The samples.
    name : str
        The file, folder or archive.
    files : tuple of str
        Names of the files it was read from.
    format : str
        The importer's name.
    phone : bool
        Whether a phone measured.
    """

    track: Track
    name: str
    files: tuple[str, ...]
    format: str
    phone: bool

    @property
    def words(self) -> str:
        """How it is called in messages."""
        label = self.track.label
        return label if label in self.name else f"{label} ({self.name})"


@dataclass(frozen=True, slots=True, eq=False)
class ImportedSet:
    """One set, ready to be written.

    Attributes
    ----------
    side : str
        ``left`` or ``right``.
    streams : Mapping of str to Stream
        By segment, on one clock that begins at 0.
    pieces : Mapping of str to Piece
        By segment.
    started : str or None
        ISO 8601.
    remarks : tuple of str
        What was done and left out, in words.
    """

    side: str
    streams: Mapping[str, Stream]
    pieces: Mapping[str, Piece]
    started: str | None
    remarks: tuple[str, ...]


def assemble(
    pieces: Sequence[Piece], roles: Mapping[str, str], sides: Sequence[str], split: bool
) -> list[ImportedSet]:
    """Make the sets of all pieces.

    Parameters
    ----------
    pieces : sequence of Piece
        At least one.
    roles : Mapping of str to str
        By segment what the call says: a file's name or a sensor's label.
    sides : sequence of str
        What the call says: one side for all, or with ``split`` one a set, in order of time.
    split : bool
        Whether sets are cut out of what was recorded in one piece.

    Raises
    ------
    CallError
        A segment or side that cannot be told.
    RecordingError
        Clocks that nothing ties together; no set found to cut out.
    """
    cast = _cast(pieces, roles)
    found = []
    for side, chosen in _by_side(cast, sides, split).items():
        streams, remarks = _one_clock(chosen)
        if split:
            found += _cut(chosen, streams, remarks, sides)
        else:
            found.append(_finished(side, streams, chosen, remarks))
    return found


def _cast(pieces: Sequence[Piece], roles: Mapping[str, str]) -> list[tuple[str, Piece]]:
    """Give every piece its segment; with roles said, pieces without one are left out."""
    cast = []
    for segment, wanted in roles.items():
        matching = [one for one in pieces if _is_called(one, wanted)]
        if not matching:
            known = ", ".join(one.words for one in pieces)
            raise CallError(f"--{segment} {wanted}: no such sensor was read. Read were: {known}.")
        cast += [(segment, one) for one in matching]
    given = [id(one) for _, one in cast]
    unclear = []
    for one in pieces:
        if id(one) in given:
            continue
        segment = segment_of(one.track.label) or segment_of(one.name)
        if segment and segment not in roles:
            cast.append((segment, one))
        elif not segment:
            unclear.append(one)
    enough = {"pelvis"} < {segment for segment, _ in cast}
    if unclear and not enough:
        names = ", ".join(one.words for one in unclear)
        remedy = "Say --pelvis NAME --thigh NAME (and --shank NAME)."
        raise CallError(f"nothing says where these sensors sat: {names}. {remedy}")
    return cast


def _is_called(piece: Piece, wanted: str) -> bool:
    """Whether a piece is what the call names: its label, its file, or the end of its path."""
    names = {piece.track.label.casefold(), piece.name.casefold()}
    plain = wanted.replace("\\", "/").rstrip("/").casefold()
    return plain in names or any(
        plain.endswith(f"/{name}") or name.endswith(f"/{plain}") for name in names
    )


def _by_side(
    cast: Sequence[tuple[str, Piece]], sides: Sequence[str], split: bool
) -> dict[str, dict[str, Piece]]:
    """Sort pieces by side; a pelvis sensor of no side goes with every side."""
    told = {id(one): side_of(one.track.label) or side_of(one.name) for _, one in cast}
    if len(sides) == 1 or split:
        told = dict.fromkeys(told, sides[0] if sides else "left")
    present = [side for side in SIDES if side in told.values()]
    if not present:
        raise CallError("nothing says which side it is. Say --side left or --side right.")
    found = {side: _chosen(cast, told, side, len(present) == 1) for side in present}
    for side, chosen in found.items():
        if "pelvis" not in chosen or len(chosen) < 2:
            have = ", ".join(chosen) or "none"
            remedy = "Give the files of both sensors, or say --pelvis NAME --thigh NAME."
            raise CallError(f"{side}: a set needs pelvis and thigh; there is {have}. {remedy}")
    return found


def _chosen(
    cast: Sequence[tuple[str, Piece]], told: Mapping[int, str], side: str, only_side: bool
) -> dict[str, Piece]:
    """Take the pieces of one side, by segment in the usual order."""
    chosen: dict[str, Piece] = {}
    for segment, one in sorted(cast, key=lambda pair: SEGMENTS.index(pair[0])):
        shared = not told[id(one)] and (segment == "pelvis" or only_side)
        if told[id(one)] != side and not shared:
            continue
        if segment in chosen:
            both = f"{chosen[segment].words} and {one.words}"
            remedy = "Import them one set at a time, or say --pelvis, --thigh."
            raise CallError(f"two sensors are the {segment} of {side}: {both}. {remedy}")
        chosen[segment] = one
    return chosen


def _one_clock(chosen: Mapping[str, Piece]) -> tuple[dict[str, Stream], list[str]]:
    """Bring all sensors of a set onto the pelvis sensor's clock."""
    streams: dict[str, Stream] = {}
    remarks: list[str] = []
    for segment, piece in chosen.items():
        streams[segment], told = join(piece.track, segment)
        remarks += [f"{segment}: {one}" for one in (*piece.track.remarks, *told)]
    if any(stream.arrival_s is None for stream in streams.values()):
        streams = {name: replace(one, arrival_s=None) for name, one in streams.items()}
    pelvis, clock = streams["pelvis"], chosen["pelvis"].track.clock
    for segment, stream in streams.items():
        if segment == "pelvis":
            continue
        shift_s, told = _shift(pelvis, stream, clock, chosen[segment])
        if shift_s:
            streams[segment] = replace(stream, time_s=stream.time_s + shift_s)
        remarks += told
    return streams, remarks


def _shift(pelvis: Stream, stream: Stream, first: str, piece: Piece) -> tuple[float, list[str]]:
    """Find what ties one sensor's clock to the pelvis sensor's."""
    segment, second = stream.segment, piece.track.clock
    overlap_s = min(pelvis.time_s[-1], stream.time_s[-1]) - max(pelvis.time_s[0], stream.time_s[0])
    arrivals = pelvis.arrival_s is not None
    if first == second != "" and (overlap_s >= MIN_OVERLAP_S or arrivals):
        if first != UNIX:
            return 0.0, []
        shift = _movement(pelvis, stream)
        if shift is None or not shift.certain or abs(shift.shift_s) > NEAR_S:
            told = "both phones' time of day is taken to agree; 50 ms apart cost about 0.25 degrees"
            return 0.0, [f"{segment}: {told}"]
        return shift.shift_s, [f"{segment}: clock moved by {shift.told()}"]
    shift = _movement(pelvis, stream)
    if shift is None or not shift.certain:
        what = f"nothing ties the clocks of pelvis and {segment} together"
        if shift is not None:
            what += f"; the likeliest shift, {shift.told()}, is uncertain"
        raise RecordingError(piece.words, what, SHAKE)
    return shift.shift_s, [f"{segment}: clock moved by {shift.told()}"]


def _movement(pelvis: Stream, stream: Stream) -> Shift | None:
    return find_shift(pelvis.time_s, pelvis.gyr_rads, stream.time_s, stream.gyr_rads)


def _cut(
    chosen: Mapping[str, Piece],
    streams: Mapping[str, Stream],
    remarks: list[str],
    sides: Sequence[str],
) -> list[ImportedSet]:
    """Cut the sets out of one recording."""
    common = {name: _on_one_clock(stream, chosen[name]) for name, stream in streams.items()}
    spans = find_sets(common["pelvis"], common.get("thigh") or common["shank"])
    origin_s = min(float(one.time_s[0]) for one in common.values())
    seen = ", ".join(
        f"{one.start_s - origin_s:.1f} to {one.end_s - origin_s:.1f} s" for one in spans
    )
    if not spans:
        what = "no set is seen: a still moment, then turns of the thigh, between two handlings"
        raise RecordingError(chosen["pelvis"].words, what, "Import it without --split.")
    if len(sides) not in (1, len(spans)):
        example = ",".join((*SIDES, "left")[: len(spans)])
        found = f"{len(spans)} sets are seen ({seen})"
        raise CallError(f"--split: {found}. Say the side of each, in order: --side {example}.")
    given = list(sides) * len(spans) if len(sides) == 1 else list(sides)
    return [
        _finished(
            side,
            {name: _within(one, common[name].time_s, span) for name, one in streams.items()},
            chosen,
            [*remarks, f"cut out, set {number} of {len(spans)}: "
             f"{span.start_s - origin_s:.1f} to {span.end_s - origin_s:.1f} s"],
        )
        for number, (side, span) in enumerate(zip(given, spans, strict=True), 1)
    ]  # fmt: skip


def _on_one_clock(stream: Stream, piece: Piece) -> Stream:
    """Give a stream the host's times, where it has arrivals; else its times are common already."""
    if stream.arrival_s is None:
        return stream
    fit = fit_plausible_clock(stream.time_s, stream.arrival_s, piece.words)
    return replace(stream, time_s=fit.to_host(stream.time_s))


def _within(stream: Stream, time_s: Array, span: Span) -> Stream:
    """Take the samples of a span, which is on the common clock."""
    kept = (time_s >= span.start_s) & (time_s <= span.end_s)
    arrival_s = None if stream.arrival_s is None else stream.arrival_s[kept]
    return replace(
        stream,
        time_s=stream.time_s[kept],
        acc_ms2=stream.acc_ms2[kept],
        gyr_rads=stream.gyr_rads[kept],
        arrival_s=arrival_s,
    )


def _finished(
    side: str, streams: Mapping[str, Stream], chosen: Mapping[str, Piece], remarks: Sequence[str]
) -> ImportedSet:
    """Let a set's time begin at 0: of µs since 1970 a float keeps too few."""
    origin_s = min(float(one.time_s[0]) for one in streams.values())
    arrived = [float(one.arrival_s[0]) for one in streams.values() if one.arrival_s is not None]
    moved = {
        name: replace(
            one,
            time_s=np.round(one.time_s - origin_s, 9),
            arrival_s=None if one.arrival_s is None else one.arrival_s - min(arrived),
        )
        for name, one in streams.items()
    }
    told = [
        f"{segment}: the name {one.words} says {named}, and {said} is what was asked for"
        for segment, one in chosen.items()
        for named, said in (
            (segment_of(one.track.label) or segment_of(one.name), segment),
            (side_of(one.track.label) or side_of(one.name), side),
        )
        if named and named != said
    ]
    started = next((one.track.started for one in chosen.values() if one.track.started), None)
    return ImportedSet(side, moved, dict(chosen), started, (*told, *remarks))
