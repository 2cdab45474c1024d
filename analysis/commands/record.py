"""``hiprot record``: record one set from sensors into a session folder."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.commands.screen import Inputs, Screen
from imu.errors import CallError, HiprotError

if TYPE_CHECKING:
    from analysis.app.coaching import Coaching
    from analysis.app.telling import Told
    from analysis.commands.watching import Watcher
    from imu.codecs.protocol import Codec
    from imu.collector.observer import SensorStatus
    from imu.collector.plans import Recorded, RecordPlan
    from imu.collector.recorder import Recorder
    from imu.recording import Event, SessionInfo
    from imu.transports.links import Radio

SCHEMA = "hiprot.record/1"
INTERRUPTED = 130
COUNTDOWN_S = 3.0
LIFT_S = 8.0  # the lift, and sitting still after it, before "Go."


@click.command(short_help="record one set from sensors")
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--side", type=click.Choice(["left", "right"]), help="Of the working leg.")
@click.option("--lean", is_flag=True, help="The trunk lean: which way the pelvis sensor points.")
@click.option("--lift", is_flag=True, help="Ask for a lift of the knee first: proves the side.")
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
@click.option("--lsl", is_flag=True, help="Offer the streams by the Lab Streaming Layer, too.")
@click.option("--live", is_flag=True, help="Show the coach in the browser.")
@click.option("--no-browser", is_flag=True, help="With --live: only print the address.")
@click.option("--family", metavar="NAME", help="Only sensors of this family.")
@click.option("--simulate", is_flag=True, help="A simulated person; needs no Bluetooth.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the simulated person.")
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded, as JSON.")
def record(session: Path, as_json: bool, **options: Any) -> None:
    """Record one set, or the trunk lean, into the session folder SESSION.

    Without addresses the sensors of the session's last set are taken; or else the ones in range,
    and the one that is tapped or moved is the thigh. Nothing existing is ever overwritten: a
    second set of a side becomes left-2.csv.

    While it runs, lines on standard input are markers: p 4 for pain (0 to 10), i for a pinch, c
    for a cramp, n TEXT for a note. An empty line or Ctrl-C ends the set.
    """
    from analysis.commands.terminal import families
    from imu.storage.journal import read_info

    _refuse_wrong_call(session, options)
    info = read_info(session)
    known = families(options["family"])
    radio, roles, codecs = _radio(options, known, info)
    if radio is not None and options["seconds"] is None and options["reps"] is None:
        options["seconds"] = radio.person.duration_s
    plan = _plan(session, options, roles, codecs)
    recorded = _run(plan, radio, _watcher(session, options), options)
    _tell(session, recorded, as_json, options["config"])


def _refuse_wrong_call(session: Path, options: Mapping[str, Any]) -> None:
    """Refuse what does not go together, before anybody sits down."""
    if not options["lean"]:
        if options["side"] is None:
            raise CallError("--side is missing. Give left or right; or --lean for the trunk lean.")
        return
    for name in ("side", "reps", "lift", "keep_frames", "live"):
        if options[name]:
            option = name.replace("_", "-")
            raise CallError(f"--{option} does not go with --lean, which is no set of a side.")
    for name in ("calibration.csv", "calibration.csv.gz"):
        if (session / name).exists():
            remedy = "Remove or rename it to record the lean again."
            raise CallError(f"{session / name}: the lean is recorded already. {remedy}")


def _radio(
    options: Mapping[str, Any], codecs: Mapping[str, Codec], info: SessionInfo
) -> tuple[Any, Mapping[str, str | None], Mapping[str, Codec]]:
    """Choose the radio, where simulated, and who wears what, as far as it is known."""
    if options["simulate"]:
        from imu.transports.simulated import SimulatedRadio

        codec = next(iter(codecs.values()))
        segments = ["pelvis", "thigh", *(["shank"] if options["shank"] else [])]
        radio = SimulatedRadio(
            codec,
            segments,
            options["side"] or "right",
            options["rate"],
            options["seed"],
            does="lean" if options["lean"] else "lift" if options["lift"] else "",
        )
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
    from imu.recording import SensorInfo, SessionInfo

    started = datetime.now().astimezone().isoformat(timespec="seconds")
    info = SessionInfo(
        subject=options["subject"], started=started, planned_reps=options["reps"], sensors={}
    )
    side = "calibration" if options["lean"] else options["side"]
    set_plan = SetPlan(session, side, started, options["keep_frames"])
    if options["lsl"]:
        from imu.transports.lsl import Outlets

        outlets = Outlets(session.resolve().name, side, side, dict.fromkeys(roles, SensorInfo()))
        set_plan = replace(set_plan, consumers=(outlets.take,))
    return RecordPlan(
        set_plan,
        roles,
        codecs,
        rate_hz=options["rate"],
        info=info,
        seconds=options["seconds"],
        sync=options["sync"],
        go="Lean forward and back, three times." if options["lean"] else "Go.",
        countdown_s=LIFT_S if options["lift"] else COUNTDOWN_S,
    )


def _watcher(session: Path, options: Mapping[str, Any]) -> Watcher | None:
    """Make what counts leans or repetitions, by the report's own rules; None where none counts.

    A calibration or a configuration that the report would refuse is refused before anybody sits
    down.
    """
    from analysis.commands.terminal import read_settings

    settings = read_settings(options["config"])
    if options["lean"]:
        from analysis.commands.watching import LeanWatcher

        return LeanWatcher()
    if options["reps"] is None:
        return None
    from analysis.commands.watching import RepCounter
    from imu.storage.session import read_calibration

    return RepCounter(options["side"], options["reps"], settings, read_calibration(session))


def _run(
    plan: RecordPlan, radio: Radio | None, watcher: Watcher | None, options: Mapping[str, Any]
) -> Recorded:
    from analysis.commands.terminal import console

    if radio is None:
        from imu.transports.ble import BleRadio

        radio = BleRadio()
    screen = Screen(console())
    with screen:
        if not options["live"]:
            return asyncio.run(_record(plan, radio, screen, watcher, options["lift"]))
        return asyncio.run(_record_live(plan, radio, screen, watcher, options))


async def _record_live(
    plan: RecordPlan,
    radio: Radio,
    screen: Screen,
    watcher: Watcher | None,
    options: Mapping[str, Any],
) -> Recorded:
    """Record, with the coach in the browser beside it."""
    from analysis.app.coaching import Coaching
    from analysis.app.hub import Hub
    from analysis.app.telling import Told
    from analysis.commands.serving import coach_page
    from analysis.commands.terminal import read_settings
    from imu.collector.tasks import end_tasks
    from imu.storage.session import free_set_name, read_calibration, read_session, read_set

    hub, folder, side = Hub(), plan.set_plan.folder, plan.set_plan.side
    coaching = Coaching(
        hub,
        folder.resolve().name,
        free_set_name(folder, side),
        side,
        read_settings(options["config"]),
        read_calibration(folder),
        options["reps"],
    )
    set_plan = replace(plan.set_plan, consumers=(*plan.set_plan.consumers, coaching.take))
    both = Both(screen, Told(coaching.tell, hub))
    async with coach_page(hub, coaching, not options["no_browser"]):
        watching = asyncio.create_task(coaching.following.watch())
        try:
            recorded = await _record(
                replace(plan, set_plan=set_plan), radio, both, watcher, options["lift"], coaching
            )
        finally:
            await end_tasks([watching])
        if recorded.set_name is not None:
            with suppress(HiprotError):  # what is wrong is told by the command itself
                events = read_session(folder).events
                await coaching.conclude(read_set(folder, recorded.set_name), events)
    return recorded


class Both:
    """Tells the terminal and the pages."""

    def __init__(self, screen: Screen, told: Told) -> None:
        self._screen = screen
        self._told = told

    def say(self, text: str) -> None:
        """Tell one thing."""
        self._screen.say(text)
        self._told.say(text)

    def show(self, sensors: Sequence[SensorStatus], elapsed_s: float | None) -> None:
        """Show how the sensors are."""
        self._screen.show(sensors, elapsed_s)
        self._told.show(sensors, elapsed_s)


async def _record(
    plan: RecordPlan,
    radio: Radio,
    screen: Screen | Both,
    watcher: Watcher | None,
    lift: bool,
    coaching: Coaching | None = None,
) -> Recorded:
    """Record, listening to the person; guided, and stopped when there is enough, where told."""
    from imu.collector.recorder import Recorder
    from imu.collector.tasks import end_tasks

    if watcher is not None:
        set_plan = replace(plan.set_plan, consumers=(*plan.set_plan.consumers, watcher.take))
        plan = replace(plan, set_plan=set_plan)
    recorder = Recorder(plan, radio, screen)
    if coaching is not None:
        coaching.obey(recorder.stop.set, recorder.mark)
    tasks = []
    if watcher is not None:
        tasks.append(asyncio.create_task(watcher.watch(recorder.stop, screen.say)))
    if lift:
        tasks.append(asyncio.create_task(_guide_lift(recorder, screen, watcher)))
    try:
        with Inputs(recorder, screen):
            return await recorder.record()
    finally:
        await end_tasks(tasks)


async def _guide_lift(recorder: Recorder, screen: Screen | Both, watcher: Watcher | None) -> None:
    """Ask for the lift, and let the count know of it."""
    from analysis.commands.watching import RepCounter, guide_lift
    from imu.recording import Event

    def told() -> None:
        if isinstance(watcher, RepCounter) and watcher.first_arrival_s is not None:
            since_s = asyncio.get_running_loop().time() - watcher.first_arrival_s
            watcher.events.append(Event(watcher.name, since_s, "lift"))

    await guide_lift(lambda: recorder.mark("lift"), screen.say, told)


def _fitness(session: Path, set_name: str, config: Path | None) -> str:
    """Say in one line what was recorded, while the person still sits there."""
    from analysis.commands.terminal import read_settings
    from analysis.commands.watching import lean_words
    from analysis.motion.lean import study_lean
    from analysis.sets import analyse_sets, fitness
    from imu.storage.session import read_calibration, read_session, read_set

    try:
        if set_name == "calibration":
            lean = read_calibration(session)
            return lean_words(study_lean(lean)) if lean else "Nothing was recorded."
        calibration = read_calibration(session)
        events: tuple[Event, ...] = ()
        with suppress(HiprotError):  # an older set may be damaged; it is not this one's fault
            events = read_session(session).events
        chosen = [read_set(session, set_name)]
        (found,) = analyse_sets(chosen, read_settings(config), calibration, events)
        return fitness(found)
    except HiprotError as error:
        return f"Not fit: {error}"
    except Exception as error:  # a defect of the analysis must not hide what became of the set
        return f"Whether it is fit cannot be told ({type(error).__name__}: {error})."


def _tell(session: Path, recorded: Recorded, as_json: bool, config: Path | None) -> None:
    """Say what was recorded, and end with the right status."""
    from dataclasses import asdict

    from analysis.commands.terminal import console, sensor_table

    fit = None if recorded.set_name is None else _fitness(session, recorded.set_name, config)
    if as_json:
        document = {
            "schema": SCHEMA,
            "session": str(session),
            "set": recorded.set_name,
            "seconds": round(recorded.seconds, 3),
            "sensors": [asdict(one) for one in recorded.sensors],
            "fit": fit,
            "failure": None if recorded.failure is None else str(recorded.failure),
        }
        click.echo(json.dumps(document, indent=2))
    if recorded.set_name is None:
        click.echo("hiprot: stopped before the set began; nothing was recorded.", err=True)
        sys.exit(INTERRUPTED)
    console().print(sensor_table(recorded.sensors))
    where = session / f"{recorded.set_name}.csv"
    click.echo(f"Recorded {where}: {recorded.seconds:.1f} s.", err=True)
    click.echo(fit, err=True)
    side = "right" if recorded.set_name.startswith("left") else "left"
    if recorded.failure is None and not (session / f"{side}.csv").exists():
        other = "For a set" if recorded.set_name == "calibration" else "For the other side"
        click.echo(f"{other}: hiprot record {session} --side {side}", err=True)
    if recorded.failure is not None:
        raise recorded.failure
