"""``hiprot record``: record one set from sensors into a session folder."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, HiprotError

if TYPE_CHECKING:
    from analysis.commands.rep_counter import RepCounter
    from imu.codecs.protocol import Codec
    from imu.collector.observer import SensorStatus
    from imu.collector.plans import Recorded, RecordPlan
    from imu.collector.recorder import Recorder
    from imu.recording import SessionInfo
    from imu.transports.links import Radio

SCHEMA = "hiprot.record/1"
INTERRUPTED = 130
MARKERS = {"p": "pain", "i": "pinch", "c": "cramp", "n": "note"}
KEYS = "Enter ends the set. p 0-10 marks pain, i a pinch, c a cramp, n TEXT a note."


@click.command(short_help="record one set from sensors")
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--side", type=click.Choice(["left", "right"]), required=True)
@click.option("--pelvis", metavar="ADDRESS", help="The sensor on the sacrum.")
@click.option("--thigh", metavar="ADDRESS", help="The sensor on the thigh.")
@click.option("--shank", metavar="ADDRESS", help="A third sensor, on the lower leg.")
@click.option(
    "--rate", type=click.FloatRange(min=1), metavar="HZ", help="At least so many a second."
)
@click.option("--reps", type=click.IntRange(1, 1000), help="End after so many repetitions.")
@click.option("--seconds", type=click.FloatRange(0.1), help="End so long after the countdown.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML with limits, as for report: they decide what --reps counts.",
)
@click.option("--subject", metavar="TEXT", help="Who it is, for session.json.")
@click.option("--sync", is_flag=True, help="Have the sensors synchronise first (Movella DOT).")
@click.option("--keep-frames", is_flag=True, help="Keep the raw frames beside the samples.")
@click.option("--family", metavar="NAME", help="Only sensors of this family.")
@click.option("--simulate", is_flag=True, help="A simulated person; needs no Bluetooth.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the simulated person.")
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded, as JSON.")
def record(session: Path, as_json: bool, **options: Any) -> None:
    """Record one set into the session folder SESSION.

    Without addresses the sensors of the session's last set are taken; or else the ones in range,
    and the one that is tapped or moved is the thigh. Nothing existing is ever overwritten: a
    second set of a side becomes left-2.csv.

    While it runs, lines on standard input are markers: p 4 for pain (0 to 10), i for a pinch, c
    for a cramp, n TEXT for a note. An empty line or Ctrl-C ends the set.
    """
    from analysis.commands.terminal import families
    from imu.storage.journal import read_info

    info = read_info(session)
    known = families(options["family"])
    radio, roles, codecs = _radio(options, known, info)
    if radio is not None and options["seconds"] is None and options["reps"] is None:
        options["seconds"] = radio.person.duration_s
    plan = _plan(session, options, roles, codecs)
    recorded = _run(plan, radio, _counter(session, options))
    _tell(session, recorded, as_json)


def _radio(
    options: Mapping[str, Any], codecs: Mapping[str, Codec], info: SessionInfo
) -> tuple[Any, Mapping[str, str | None], Mapping[str, Codec]]:
    """Choose the radio, where simulated, and who wears what, as far as it is known."""
    if options["simulate"]:
        from imu.transports.simulated import SimulatedRadio

        codec = next(iter(codecs.values()))
        segments = ["pelvis", "thigh", *(["shank"] if options["shank"] else [])]
        radio = SimulatedRadio(codec, segments, options["side"], options["rate"], options["seed"])
        return radio, dict(radio.addresses), {codec.name: codec}
    remembered = {segment: one.address for segment, one in info.sensors.items()}
    given = {segment: options[segment] for segment in ("pelvis", "thigh", "shank")}
    taken = {address.casefold() for address in given.values() if address}
    roles: dict[str, str | None] = {}
    for segment, address in given.items():
        known = remembered.get(segment)
        if address is None and known is not None and known.casefold() not in taken:
            address = known
        if address is not None or segment != "shank":
            roles[segment] = address
    addresses = [address.casefold() for address in roles.values() if address]
    if len(set(addresses)) < len(addresses):
        raise CallError("one sensor is given for two places. Give every place its own.")
    return None, roles, codecs


def _plan(
    session: Path,
    options: Mapping[str, Any],
    roles: Mapping[str, str | None],
    codecs: Mapping[str, Codec],
) -> RecordPlan:
    from imu.collector.plans import RecordPlan
    from imu.collector.writing import SetPlan
    from imu.recording import SessionInfo

    started = datetime.now().astimezone().isoformat(timespec="seconds")
    info = SessionInfo(
        subject=options["subject"], started=started, planned_reps=options["reps"], sensors={}
    )
    set_plan = SetPlan(session, options["side"], started, options["keep_frames"])
    return RecordPlan(
        set_plan,
        roles,
        codecs,
        rate_hz=options["rate"],
        info=info,
        seconds=options["seconds"],
        sync=options["sync"],
    )


def _counter(session: Path, options: Mapping[str, Any]) -> RepCounter | None:
    """Make what counts the repetitions, by the report's own rules; None where none are asked for.

    A calibration or a configuration that the report would refuse is refused before anybody sits
    down.
    """
    from analysis.commands.terminal import read_settings

    settings = read_settings(options["config"])
    if options["reps"] is None:
        return None
    from analysis.commands.rep_counter import RepCounter
    from imu.storage.session import read_calibration

    return RepCounter(options["side"], options["reps"], settings, read_calibration(session))


def _run(plan: RecordPlan, radio: Radio | None, counter: RepCounter | None) -> Recorded:
    from analysis.commands.terminal import console

    if radio is None:
        from imu.transports.ble import BleRadio

        radio = BleRadio()
    screen = Screen(console())
    with screen:
        return asyncio.run(_record(plan, radio, screen, counter))


async def _record(
    plan: RecordPlan, radio: Radio, screen: Screen, counter: RepCounter | None
) -> Recorded:
    """Record, listening to the person; stop after so many repetitions, where told."""
    from imu.collector.recorder import Recorder

    if counter is None:
        recorder = Recorder(plan, radio, screen)
        with Inputs(recorder, screen):
            return await recorder.record()
    from imu.collector.tasks import end_tasks

    set_plan = replace(plan.set_plan, consumers=(*plan.set_plan.consumers, counter.take))
    recorder = Recorder(replace(plan, set_plan=set_plan), radio, screen)
    watching = asyncio.create_task(counter.watch(recorder.stop, screen.say))
    try:
        with Inputs(recorder, screen):
            return await recorder.record()
    finally:
        await end_tasks([watching])


class Screen:
    """Shows how it goes: a small table on a terminal, and lines for what happens."""

    def __init__(self, target: Any) -> None:
        from rich.live import Live

        self._console = target
        self._live: Live | None = None
        if target.is_terminal:
            self._live = Live(console=target, refresh_per_second=4, transient=True)

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Tell one thing."""
        from analysis.commands.terminal import printable

        self._console.print(printable(text))

    def show(self, sensors: Sequence[SensorStatus], elapsed_s: float | None) -> None:
        """Show how the sensors are."""
        if self._live is not None:
            from analysis.commands.terminal import sensor_table

            title = "getting ready" if elapsed_s is None else f"{elapsed_s:.0f} s"
            self._live.update(sensor_table(sensors, title))


class Inputs:
    """Ctrl-C, and lines on standard input, while a set is recorded.

    Parameters
    ----------
    recorder : Recorder
        Is stopped and marked.
    screen : Screen
        Tells what was understood.
    """

    def __init__(self, recorder: Recorder, screen: Screen) -> None:
        self._recorder = recorder
        self._screen = screen
        self._loop = asyncio.get_running_loop()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Inputs:
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            self._before[number] = signal.signal(number, self._on_signal)
        if sys.stdin is not None and not sys.stdin.closed:
            if sys.stdin.isatty():
                self._screen.say(KEYS)
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._recorder.stop.set)

    def _read(self) -> None:
        with suppress(OSError, ValueError, RuntimeError):  # closed, or the loop has ended
            for line in sys.stdin:
                self._loop.call_soon_threadsafe(self._line, line.strip())

    def _line(self, line: str) -> None:
        """Understand one line; what is not understood is said, not dropped."""
        if not line:
            if self._recorder.running:
                self._recorder.stop.set()
            else:
                self._screen.say("The set has not begun. Ctrl-C gives it up.")
            return
        try:
            kind, score, text = parse_marker(line)
            marked = self._recorder.mark(kind, score, text)
        except HiprotError as error:
            self._screen.say(f"Not marked: {error}")
            return
        if marked:
            self._screen.say(f"Marked: {kind}{'' if score is None else f' {score:g}'}.")
        else:
            self._screen.say("Not marked: the set has not begun.")


def parse_marker(line: str) -> tuple[str, float | None, str]:
    """Understand a marker.

    Raises
    ------
    CallError
        It is none.

    Examples
    --------
    >>> parse_marker("p 4 in the groin")
    ('pain', 4.0, 'in the groin')
    >>> parse_marker("n slower now")
    ('note', None, 'slower now')
    """
    key, _, rest = line.strip().partition(" ")
    letter, digits = key[:1].lower(), key[1:]
    kind = MARKERS.get(letter) or (key.lower() if key.lower() in MARKERS.values() else None)
    if kind is None or (digits and not digits.isdigit() and key.lower() != kind):
        raise CallError(f"{line[:40]!r} is no marker. {KEYS}")
    if key.lower() == kind:
        digits = ""
    rest = rest.strip()
    if kind == "note":
        return kind, None, f"{digits} {rest}".strip()
    number = digits
    if not number and rest.split(" ")[0].replace(".", "", 1).isdigit():
        number, _, rest = rest.partition(" ")
    score = float(number) if number else None
    if score is not None and not 0 <= score <= 10:
        raise CallError(f"{number} is not from 0 to 10; nothing was marked. {KEYS}")
    return kind, score, rest.strip()


def _tell(session: Path, recorded: Recorded, as_json: bool) -> None:
    """Say what was recorded, and end with the right status."""
    from dataclasses import asdict

    from analysis.commands.terminal import console, sensor_table

    if as_json:
        document = {
            "schema": SCHEMA,
            "session": str(session),
            "set": recorded.set_name,
            "seconds": round(recorded.seconds, 3),
            "sensors": [asdict(one) for one in recorded.sensors],
            "failure": None if recorded.failure is None else str(recorded.failure),
        }
        click.echo(json.dumps(document, indent=2))
    if recorded.set_name is None:
        click.echo("hiprot: stopped before the set began; nothing was recorded.", err=True)
        sys.exit(INTERRUPTED)
    console().print(sensor_table(recorded.sensors))
    where = session / f"{recorded.set_name}.csv"
    click.echo(f"Recorded {where}: {recorded.seconds:.1f} s.", err=True)
    side = "right" if recorded.set_name.startswith("left") else "left"
    if recorded.failure is None and not (session / f"{side}.csv").exists():
        click.echo(f"For the other side: hiprot record {session} --side {side}", err=True)
    if recorded.failure is not None:
        raise recorded.failure
