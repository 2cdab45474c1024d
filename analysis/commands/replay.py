"""``hiprot replay``: play a recorded session as if it came from sensors."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, RecordingError

if TYPE_CHECKING:
    from imu.frames import Batch
    from imu.recording import Recording, Session
    from imu.samples import Stream

    Consumer = Callable[[Batch], None]
    Play = Callable[[Sequence[Consumer]], Awaitable[None]]
    Show = Callable[[Play], AbstractAsyncContextManager[None]]

SCHEMA = "hiprot.replay/1"
SLOWEST = 0.01
SHOW_S = 0.1


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Read the option: a factor, or ``max``, which is infinite."""
    if value == "max":
        return math.inf
    try:
        speed = float(value)
    except ValueError:
        speed = math.nan
    if not SLOWEST <= speed < math.inf:
        what = f"{value!r} is neither a number from {SLOWEST:g} on nor max."
        raise click.BadParameter(what, ctx, param)
    return speed


@click.command(short_help="play a recorded session as if it came from sensors")
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--set", "set_name", metavar="NAME", help="Only this set: left, right-2, ...")
@click.option(
    "--speed", callback=_speed, default="1", metavar="N|max", help="So many times as fast [1]."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write what came out into a new folder."
)
@click.option("--lsl", is_flag=True, help="Offer the streams by the Lab Streaming Layer, too.")
@click.option("--live", is_flag=True, help="Show the coach in the browser.")
@click.option("--no-browser", is_flag=True, help="With --live: only print the address.")
@click.option("--json", "as_json", is_flag=True, help="Print what was played, as JSON.")
def replay(  # noqa: PLR0913, PLR0917  the options of a command
    session: Path,
    set_name: str | None,
    speed: float,
    out: Path | None,
    lsl: bool,
    live: bool,
    no_browser: bool,
    as_json: bool,
) -> None:
    """Play the session folder SESSION, set by set, as if it came from sensors.

    Everything that comes out is compared with the recording at the end: every sample, to the last
    bit. With -o it becomes a session folder of its own, with the same values.
    """
    from imu.storage.files import write_files
    from imu.storage.session import read_session

    if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise CallError(f"{out}: exists already. Choose a new folder or delete it first.")
    recorded = read_session(session)
    chosen = _choose(recorded, set_name)
    played = {}
    for one in chosen:
        others = _outlets(recorded, one) if lsl else []
        show = _coached(recorded, one, not no_browser) if live else _alone
        played[one.name] = _play(one, speed, others, show)
    sets = {one.name: _compare(one, played[one.name]) for one in chosen}
    if out is not None:
        files = _carried(session, recorded, [one.name for one in chosen])
        files |= {f"{one.name}.csv": _text(one, played[one.name].batches) for one in chosen}
        write_files({out / name: content for name, content in files.items()})
    if as_json:
        document = {
            "schema": SCHEMA,
            "session": recorded.name,
            "speed": None if math.isinf(speed) else speed,
            "sets": sets,
            "out": None if out is None else str(out),
        }
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        _show(sets)
    if out is not None:
        click.echo(f"Written to {out}: {', '.join(files)}", err=as_json)


def _choose(recorded: Session, set_name: str | None) -> Sequence[Recording]:
    """Find the sets to play."""
    chosen = [one for one in recorded.recordings if set_name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in recorded.recordings)
        raise CallError(f"--set {set_name}: there is no such set. Sets here: {known}.")
    return chosen


@dataclass(slots=True)
class Played:
    """What came out of one set; the first of those who listen.

    Attributes
    ----------
    batches : list of Batch
        In the order they came.
    seconds : float
        How long it took.
    """

    batches: list[Batch] = field(default_factory=list)
    seconds: float = 0.0

    def take(self, batch: Batch) -> None:
        """Keep a batch."""
        self.batches.append(batch)


def _outlets(recorded: Session, recording: Recording) -> Sequence[Consumer]:
    """Offer one set's sensors by the Lab Streaming Layer.

    Raises
    ------
    MachineError
        It is not installed.
    """
    from imu.recording import SensorInfo
    from imu.transports.lsl import Outlets

    known = recorded.info.sensors
    sensors = {segment: known.get(segment, SensorInfo()) for segment in recording.streams}
    return [Outlets(recorded.name, recording.name, recording.side, sensors).take]


@asynccontextmanager
async def _alone(play: Play) -> AsyncIterator[None]:
    """Play for nobody else."""
    await play([])
    yield


def _coached(recorded: Session, recording: Recording, browser: bool) -> Show:
    """Show one set to whoever opens the coach's page, as if it were recorded now."""
    from analysis.app.coaching import Coaching
    from analysis.app.hub import Hub
    from analysis.commands.serving import coach_page
    from analysis.settings import Settings
    from imu.collector.tasks import end_tasks

    @asynccontextmanager
    async def show(play: Play) -> AsyncIterator[None]:
        hub = Hub()
        name, side = recording.name, recording.side
        coaching = Coaching(hub, recorded.name, name, side, Settings(), recorded.calibration)
        events = tuple(one for one in recorded.events if one.set_name == name)
        coaching.following.events += events
        async with coach_page(hub, coaching, browser):
            coaching.begin()
            watching = asyncio.create_task(coaching.following.watch())
            try:
                await play([coaching.take])
            finally:
                await end_tasks([watching])
            await coaching.conclude(recording, events)
            yield

    return show


def _play(recording: Recording, speed: float, others: Sequence[Consumer], around: Show) -> Played:
    """Play one set through all who listen."""
    played = Played()
    begin_s = time.monotonic()
    with _progress(recording, speed) as show:

        async def play(more: Sequence[Consumer]) -> None:
            await _hand_on(recording, speed, [played.take, show, *others, *more])

        async def all_of_it() -> None:
            async with around(play):
                pass

        asyncio.run(all_of_it())
    played.seconds = time.monotonic() - begin_s
    return played


async def _hand_on(recording: Recording, speed: float, consumers: Sequence[Consumer]) -> None:
    """Hand every batch to everyone, when it is due; a live tracker would be one of them."""
    from imu.transports.replay import play

    async for batch in play(recording, None if math.isinf(speed) else speed):
        for consumer in consumers:
            consumer(batch)


@contextmanager
def _progress(recording: Recording, speed: float) -> Iterator[Consumer]:
    """Show on a terminal how far a set is; elsewhere nothing."""
    from rich.progress import BarColumn, Progress, TextColumn

    from analysis.commands.terminal import console
    from imu.transports.replay import arrival_span_s

    first_s, last_s = arrival_span_s(recording)
    screen = console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"))
    pace = "as fast as possible" if math.isinf(speed) else f"at {speed:g} times its pace"
    title = f"{recording.name}, {pace}"
    bar = Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)
    shown_s = -math.inf
    with bar:
        task = bar.add_task(title, total=last_s - first_s, at="")

        def show(batch: Batch) -> None:
            nonlocal shown_s
            if not bar.disable and time.monotonic() - shown_s >= SHOW_S:
                shown_s = time.monotonic()
                at_s = batch.arrival_s - first_s
                at = f"{at_s:.0f} of {last_s - first_s:.0f} s"
                bar.update(task, completed=at_s, at=at)

        yield show


def _compare(recording: Recording, played: Played) -> dict[str, Any]:
    """Compare what came out with the recording, and lay out the figures.

    Raises
    ------
    RecordingError
        They are not equal.
    """
    from imu.clock import rate_of

    sensors = {}
    for segment, stream in recording.streams.items():
        _refuse_unequal(recording, stream, played.batches)
        count = len(stream.time_s)
        sensors[segment] = {
            "samples": count,
            "rate_hz": rate_of(stream.time_s) if count > 1 else None,
            "duration_s": float(stream.time_s[-1] - stream.time_s[0]),
        }
    mag = any(stream.mag_ut is not None for stream in recording.streams.values())
    return {
        "side": recording.side,
        "sensors": sensors,
        "seconds": played.seconds,
        "equal": True,
        "not_played": [*(["magnetic field"] if mag else []), *recording.unknown_columns],
    }


def _refuse_unequal(recording: Recording, stream: Stream, batches: Sequence[Batch]) -> None:
    """Refuse what is not the recording, to the last bit."""
    import numpy as np

    rows = [row for one in batches if one.segment == stream.segment for row in one.rows()]
    found = np.array(rows).reshape(-1, 8)
    found = found[np.argsort(found[:, 0], kind="stable")]
    arrival_s = stream.time_s if stream.arrival_s is None else stream.arrival_s
    expected = np.column_stack([stream.time_s, stream.acc_ms2, stream.gyr_rads, arrival_s])
    if np.array_equal(found, expected):
        return
    what = f"{len(found)} samples came out, {len(expected)} were recorded"
    if len(found) == len(expected):
        row = int((found != expected).any(axis=1).argmax())
        what = f"what came out differs from the recording at time_s {expected[row, 0]:.6f}"
    remedy = "This is a defect of hiprot; please report it."
    raise RecordingError(f"{recording.source}, {stream.segment}", what, remedy)


def _text(recording: Recording, batches: Sequence[Batch]) -> str:
    """Write what came out as a set."""
    from imu.formats.setfile import SET_HEADER, format_batch_exactly
    from imu.units import SET_COLUMNS

    with_arrival = all(one.arrival_s is not None for one in recording.streams.values())
    header = SET_HEADER if with_arrival else ",".join(SET_COLUMNS)
    rows = (format_batch_exactly(batch, with_arrival) for batch in batches)
    return "".join([header, "\n", *rows])


def _carried(session: Path, recorded: Session, names: Sequence[str]) -> dict[str, str | bytes]:
    """Take along what belongs to a session besides its sets: as it is, but for other sets' markers.

    Raises
    ------
    MachineError
        A file cannot be read.
    """
    from imu.formats.eventfile import format_events
    from imu.storage.files import reporting
    from imu.storage.session import EVENTS_FILE, INFO_FILE

    whole = len(names) == len(recorded.recordings)
    kept = [INFO_FILE, "calibration.csv", "calibration.csv.gz"]
    kept += [EVENTS_FILE, f"{EVENTS_FILE}.gz"] if whole else []
    files: dict[str, str | bytes] = {}
    for name in kept:
        with reporting(session / name, "read"):
            if (session / name).exists():
                files[name] = (session / name).read_bytes()
    events = [event for event in recorded.events if event.set_name in names]
    if events and not whole:
        files[EVENTS_FILE] = format_events(events)
    return files


def _show(sets: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what was played."""
    from analysis.commands.terminal import printable
    from analysis.words import number

    for name, one in sets.items():
        click.echo(f"{name}: played in {one['seconds']:.1f} s, equals the recording")
        for segment, sensor in one["sensors"].items():
            rate = number(sensor["rate_hz"], "Hz")
            duration = number(sensor["duration_s"], "s")
            click.echo(f"  {segment}: {sensor['samples']} samples, {rate}, {duration}")
        if one["not_played"]:
            click.echo(f"  not played: {printable(', '.join(one['not_played']))}")
