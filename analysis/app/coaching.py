"""One set shown by the coach alone, beside a recording or a replay that goes its own way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from analysis.app.following import Following
from analysis.app.hub import Hub
from analysis.app.messages import MARKS, Start, choice, number, text_of
from analysis.app.telling import TURNING, state_message
from analysis.live.adopted import reanalyse
from analysis.report.document import rep_row
from analysis.sets import fitness
from analysis.settings import Settings
from imu.errors import CallError, HiprotError
from imu.frames import Batch
from imu.recording import Event, Recording
from imu.transports.hostclock import now

Mark = Callable[[str, float | None, str], bool]


class Coaching:
    """Shows one set to whoever watches.

    Parameters
    ----------
    hub : Hub
        Takes what is to be told.
    session, name, side : str
        The session's and the set's names, and its side.
    settings : Settings
        Limits of verdicts and cues.
    calibration : Recording or None
        The session's trunk lean.
    planned_reps : int or None
        After so many the other side is due.
    """

    def __init__(
        self,
        hub: Hub,
        session: str,
        name: str,
        side: str,
        settings: Settings,
        calibration: Recording | None = None,
        planned_reps: int | None = None,
    ) -> None:
        self._hub = hub
        self._name = name
        self._asked = Start("", session, side, "train", planned_reps or 8)
        self.following = Following(
            name,
            side,
            hub.publish,
            settings=settings,
            calibration=calibration,
            planned_reps=planned_reps,
        )
        self._settings = settings
        self._calibration = calibration
        self._stop: Callable[[], None] = lambda: None
        self._mark: Mark = lambda *_: False
        hub.forget("motion", "table", "setup")
        self.tell("connecting", "One moment.")

    def obey(self, stop: Callable[[], None], mark: Mark) -> None:
        """Let pages end the set and set markers; pain ends it, too."""
        self._stop, self._mark = stop, mark
        self.following.on_stop = stop

    def tell(self, state: str, text: str) -> None:
        """Tell where things stand."""
        self._hub.publish(state_message(self._asked, state, text, set=self._name))

    def take(self, batch: Batch) -> None:
        """Take samples as they come."""
        self.following.take(batch)

    async def do(self, message: Mapping[str, Any]) -> None:
        """Do what a page asks for.

        Raises
        ------
        CallError
            This is no matter of a page that only coaches.
        """
        if message["type"] == "stop":
            self._stop()
        elif message["type"] == "mark":
            kind = choice(message, "kind", MARKS)
            score = number(message, "score", 0, 10)
            self.mark(kind, score, text_of(message, "text", ""))
        else:
            raise CallError(f"{message['type']}: here one set is shown and no more.")

    def mark(self, kind: str, score: float | None, text: str) -> None:
        """Set a marker, now.

        Raises
        ------
        CallError
            Nothing is recorded that could be marked.
        """
        if not self._mark(kind, score, text):
            raise CallError("nothing was marked: no set is being recorded.")
        self.following.mark(kind, now(), score, text)
        self._hub.publish({"type": "note", "text": f"Marked: {kind}."})

    async def close(self) -> None:
        """End; the set goes its own way."""

    def begin(self) -> None:
        """The set has begun."""
        self.tell("recording", TURNING)

    async def conclude(self, recording: Recording, events: tuple[Event, ...]) -> None:
        """Tell what the whole set came to, by the report's own analysis."""
        self.tell("analysing", "One moment.")
        try:
            found = await asyncio.to_thread(
                reanalyse, recording, self._settings, self._calibration, events, ended=True
            )
        except HiprotError as error:
            self.tell("done", f"Not fit: {error}")
            return
        one, fit = found.found, fitness(found.found)
        rows = [rep_row(rep) for rep in one.reps]
        told = {"set": one.name, "side": one.side, "reps": rows, "headline": "", "fit": fit}
        self._hub.publish({"type": "table", **told})
        self.tell("done", fit)
