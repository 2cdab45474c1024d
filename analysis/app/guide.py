"""The course of a session: sensors, lean, left, right; one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from analysis.app.checks import SetupChecks, neutral_reading
from analysis.app.following import Following
from analysis.app.hub import Hub
from analysis.app.library import Library
from analysis.app.messages import MARKS, SPOKEN, Start, choice, number, read_start, text_of
from analysis.app.telling import GO, LEAN_GO, SHOWN_S, Told, state_message
from analysis.motion.lean import study_lean
from analysis.report.document import rep_row
from analysis.sets import fitness
from imu.codecs.protocol import Codec
from imu.codecs.table import find_codec
from imu.collector.observer import SensorStatus
from imu.collector.plans import Recorded, RecordPlan
from imu.collector.recorder import Recorder
from imu.collector.tasks import end_tasks
from imu.collector.writing import SetPlan
from imu.errors import CallError, HiprotError
from imu.formats.setfile import CALIBRATION
from imu.recording import SessionInfo
from imu.storage.session import free_set_name, read_calibration
from imu.transports.hostclock import now
from imu.transports.links import Radio

SCAN_S = 60.0
LOOK_S = 0.2
LEAN_S = 30.0
LIFT = "Lift the knee by a hand's breadth, set it down, sit still."
LIFT_S, COUNTDOWN_S = 8.0, 3.0
OTHER = {"left": "right", "right": "left"}


class Radios(Protocol):
    """Makes a radio for one set or a scan, and says who wears what where that is known."""

    def __call__(
        self, side: str, lift: bool, does: str
    ) -> tuple[Radio, Mapping[str, Codec], Mapping[str, str | None]]:
        """Make it; ``does`` is what a simulated person does wrong."""
        ...


class Guide:
    """Does what pages ask for; tells all of them how things stand.

    Parameters
    ----------
    library : Library
        Where sessions are.
    hub : Hub
        Takes what is to be told.
    radios : Radios
        Makes radios.
    """

    def __init__(self, library: Library, hub: Hub, radios: Radios) -> None:
        self._library = library
        self.hub = hub
        self._radios = radios
        self._task: asyncio.Task[None] | None = None
        self._scanning: asyncio.Task[None] | None = None
        self._recorder: Recorder | None = None
        self._following: Following | None = None
        self._checks: SetupChecks | None = None
        self._asked: Start | None = None
        self._next: Start | None = None
        self._does = "none"
        self._roles: dict[tuple[str, str], dict[str, str | None]] = {}
        self._drawing: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {}
        self.tell("idle", "")

    # --- what pages ask for

    async def do(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for.

        Raises
        ------
        CallError
            It cannot be done now, or a value is wrong.
        """
        match message["type"]:
            case "start":
                await self.start(read_start(message))
            case "scan":
                await self._scan()
            case "next_side":
                await self._next_side()
            case other:
                self._do_at_once(other, message)

    def _do_at_once(self, kind: str, message: Mapping[str, Any]) -> None:
        match kind:
            case "roles":
                self._take_roles(message)
            case "stop":
                self.stop()
            case "skip_setup" if self._checks is not None:
                self._checks.skipped = True
            case "mark":
                self._mark(message)
            case "compensate":
                self._does = choice(message, "how", SPOKEN)

    async def start(self, asked: Start) -> None:
        """Begin a set, or the lean.

        Raises
        ------
        CallError
            Another one runs, or there is no such session.
        """
        if self._task is not None and not self._task.done():
            raise CallError("a set is under way. End it first.")
        folder = self._library.session_folder(asked.person, asked.session)
        if asked.side == "lean" and (folder / f"{CALIBRATION}.csv").exists():
            raise CallError("the lean is recorded already.")
        if self._scanning is not None:
            await end_tasks([self._scanning])
        self._asked = asked
        self._task = asyncio.create_task(self._run(folder, asked))

    def stop(self) -> None:
        """End what runs; what is recorded stays."""
        if self._recorder is not None:
            self._recorder.stop.set()

    async def close(self) -> None:
        """End all, for good."""
        self.stop()
        running = [one for one in (self._task,) if one is not None]
        await asyncio.gather(*running, return_exceptions=True)
        await end_tasks([one for one in (self._scanning,) if one is not None])

    async def _next_side(self) -> None:
        """Begin the other side; once what runs has ended."""
        if self._asked is None or self._asked.side not in OTHER:
            raise CallError("there is no side before this one.")
        other = replace(self._asked, side=OTHER[self._asked.side], target_deg=None)
        if self._task is not None and not self._task.done():
            self._next = other
            self.stop()
        else:
            await self.start(other)

    def _take_roles(self, message: Mapping[str, Any]) -> None:
        if self._asked is None and "person" not in message:
            raise CallError("person: whose sensors these are is expected.")
        person = text_of(message, "person", self._asked.person if self._asked else None)
        session = text_of(message, "session", self._asked.session if self._asked else None)
        worn = {
            segment: text_of(message, segment)
            for segment in ("pelvis", "thigh", "shank")
            if message.get(segment)
        }
        if len({one.casefold() for one in worn.values()}) < len(worn):
            raise CallError("one sensor is given for two places. Give every place its own.")
        self._roles[person, session] = {"pelvis": None, "thigh": None, **worn}

    def _mark(self, message: Mapping[str, Any]) -> None:
        kind = choice(message, "kind", MARKS)
        score = number(message, "score", 0, 10)
        text = text_of(message, "text", "")
        if self._recorder is None or not self._recorder.mark(kind, score, text):
            raise CallError("nothing was marked: no set is running.")
        if self._following is not None:
            self._following.mark(kind, now(), score, text)
        self.hub.publish({"type": "note", "text": f"Marked: {kind}."})

    # --- sensors in range

    async def _scan(self) -> None:
        if self._task is not None and not self._task.done():
            return  # its sensors are told anyway
        if self._scanning is None or self._scanning.done():
            self._scanning = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """Tell which sensors are heard, as they appear."""
        radio, codecs, roles = self._radios("left", False, "none")
        worn = {address: segment for segment, address in roles.items() if address}
        rows: dict[str, dict[str, Any]] = {}
        told_s = 0.0
        try:
            async for heard in radio.scan(SCAN_S):
                codec = find_codec(heard, codecs)
                if codec is None:
                    continue
                status = SensorStatus(
                    worn.get(heard.address, ""), codec.model, heard.address, "in range", 0.0
                )
                rows[heard.address] = {**asdict(status), "rssi_dbm": heard.rssi_dbm}
                if now() - told_s > SHOWN_S:
                    told_s = now()
                    self.hub.publish({"type": "sensors", "sensors": list(rows.values())})
        except HiprotError as error:
            self.hub.publish({"type": "note", "text": str(error)})

    # --- one set

    def tell(self, state: str, text: str, **more: Any) -> None:
        """Tell where things stand."""
        self._state = state_message(self._asked, state, text, **more)
        self.hub.publish(self._state)

    async def _run(self, folder: Path, asked: Start) -> None:
        """Record one set and tell what became of it; then the next, where one was asked for."""
        self.hub.forget("motion", "table", "setup")
        self.tell("connecting", "Connecting to the sensors.")
        try:
            recorded = await self._record(folder, asked)
            if recorded.set_name is None:
                self.tell("idle", "Stopped before the set began.")
            else:
                await self._conclude(folder, asked, recorded)
        except HiprotError as error:
            self.tell("idle", "That did not work.", error=str(error))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            self.tell("idle", "That did not work.", error=f"A defect of hiprot ({found}).")
            raise
        finally:
            self._recorder = self._following = self._checks = None
        following, self._next = self._next, None
        if following is not None:
            self._asked = following
            await self._run(folder, following)

    async def _record(self, folder: Path, asked: Start) -> Recorded:
        radio, codecs, worn = self._radios(asked.side, asked.lift, self._does)
        plan = await asyncio.to_thread(self._plan, folder, asked, codecs, worn)
        self._recorder = Recorder(plan, radio, Told(self.tell, self.hub))
        tasks = [asyncio.create_task(self._watch_setup())]
        if self._following is not None:
            self._following.on_stop = self.stop
            tasks.append(asyncio.create_task(self._following.watch()))
            if asked.lift:
                tasks.append(asyncio.create_task(self._ask_lift()))
        try:
            return await self._recorder.record()
        finally:
            await end_tasks(tasks)

    def _plan(
        self,
        folder: Path,
        asked: Start,
        codecs: Mapping[str, Codec],
        worn: Mapping[str, str | None],
    ) -> RecordPlan:
        """Lay out what is to be recorded, with who follows it and who checks before it."""
        lean = asked.side == "lean"
        session = self._library.recorded(folder)
        first = session.recordings[0] if session is not None else None
        self._checks = SetupChecks(neutral_reading(first) if first else None, asked.lift)
        name = CALIBRATION if lean else free_set_name(folder, asked.side)
        consumers: list[Callable[..., None]] = []
        if not lean:
            self._following = Following(
                name,
                asked.side,
                self.hub.publish,
                settings=self._library.settings,
                calibration=read_calibration(folder),
                planned_reps=asked.planned_reps,
                mode=asked.mode,
            )
            consumers.append(self._following.take)
        info = SessionInfo(
            subject=asked.person,
            planned_reps=None if lean else asked.planned_reps,
            modes={} if lean or asked.mode == "measure" else {name: asked.mode},
        )
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        return RecordPlan(
            SetPlan(folder, CALIBRATION if lean else asked.side, started, consumers=consumers),
            {**self._known_roles(folder, asked), **worn},
            codecs,
            info=info,
            seconds=LEAN_S if lean else None,
            go=LEAN_GO if lean else GO,
            preview=self._checks.take,
            ready=self._checks.ready,
            countdown_s=LIFT_S if asked.lift and not lean else COUNTDOWN_S,
        )

    def _known_roles(self, folder: Path, asked: Start) -> dict[str, str | None]:
        """Who wears what: as chosen, or as in this session, or in the one before."""
        chosen = self._roles.get((asked.person, asked.session))
        if chosen is not None:
            return chosen
        for place in (folder, *self._library.earlier(asked.person, asked.session)):
            try:
                sensors = self._library.info(place).sensors
            except HiprotError:
                continue
            if sensors:
                return {segment: one.address for segment, one in sensors.items()}
        return {"pelvis": None, "thigh": None}

    async def _watch_setup(self) -> None:
        """Tell how the person sits, until the set begins."""
        while self._recorder is not None and not self._recorder.running:
            await asyncio.sleep(LOOK_S)
            if self._checks is None or not self._checks.seen:
                continue
            if self._state["state"] == "connecting":
                self.tell("setup", "Sit tall, thigh level, and still.")
            if self._state["state"] == "setup":
                self.hub.publish({"type": "setup", "checks": self._checks.look()})

    async def _ask_lift(self) -> None:
        while self._recorder is not None and not self._recorder.mark("lift"):
            await asyncio.sleep(LOOK_S)
        if self._following is not None:
            self._following.mark("lift", now(), None)
        self.tell("recording", LIFT)

    async def _conclude(self, folder: Path, asked: Start, recorded: Recorded) -> None:
        """Tell what the set came to, and bring the report up to date."""
        name = recorded.set_name
        failure = None if recorded.failure is None else str(recorded.failure)
        self.tell("analysing", "One moment.", set=name, error=failure)
        try:
            table = await asyncio.to_thread(self._table, folder, str(name))
        except HiprotError as error:
            table = {"set": name, "side": asked.side, "reps": [], "headline": "", "fit": str(error)}
        self.hub.publish({"type": "table", **table})
        self.tell("done", table["fit"], set=name, error=failure)
        if asked.side != "lean":
            self._drawing = asyncio.create_task(asyncio.to_thread(self._draw, folder))

    def _table(self, folder: Path, name: str) -> dict[str, Any]:
        """Analyse a set as the report does: its rows, and whether it is fit."""
        if name == CALIBRATION:
            lean = read_calibration(folder)
            fit = "" if lean is None else f"{study_lean(lean).leans} leans were seen."
            return {"set": name, "side": None, "reps": [], "headline": "", "fit": fit}
        found = self._library.analysis(folder)
        (one,) = [each for each in found.sets if each.name == name]
        return {
            "set": name,
            "side": one.side,
            "reps": [rep_row(rep) for rep in one.reps],
            "headline": found.summary.headline.sentence,
            "fit": fitness(one),
        }

    def _draw(self, folder: Path) -> None:
        """Draw the report ahead of whoever opens it; its errors are told there."""
        try:
            self._library.report(folder)
        except HiprotError:
            return
