"""What watches a set while it is recorded: the count, the lean, the lift, and whether it is fit.

Every two seconds what has come so far is analysed as if the set had ended: a minute takes some
tens of milliseconds. So what is counted and found is the report's own, not that of a second,
rougher method.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from analysis.live.gathering import Gathered
from analysis.motion.lean import Lean, study_lean
from analysis.sets import analyse_sets
from analysis.settings import Settings
from imu.errors import HiprotError
from imu.formats.setfile import CALIBRATION
from imu.recording import Event, Recording

EVERY_S = 2.0
SETTLED_S = 1.5  # after a repetition's end, so that the last one ends in stillness
LEANS = 3
LIFT_TICK_S = 0.2
LIFT = "Now lift the knee straight up by a hand's breadth, set it down, and sit still until 'Go'."

Say = Callable[[str], None]


class Watcher(Gathered):
    """Gathers what is written, and looks at it again and again."""

    async def watch(self, stop: asyncio.Event, say: Say) -> None:
        """Look until there is enough, then stop the recording; without looking it goes on."""
        enough = False
        while not enough:
            await asyncio.sleep(EVERY_S)
            recording = self.recording_of(self.copied())
            if recording is None:
                continue  # the set has not begun
            try:
                enough = await asyncio.to_thread(self.look, recording, say)
            except HiprotError:
                continue  # there is too little to tell
            except Exception as error:  # a defect of the analysis must not cost the recording
                found = f"{type(error).__name__}: {error}"
                say(f"Nothing can be counted ({found}). End the set yourself.")
                return
        stop.set()

    def look(self, recording: Recording, say: Say) -> bool:
        """Look at what has come; True where it is enough."""
        raise NotImplementedError


class RepCounter(Watcher):
    """Stops a recording after so many repetitions.

    Parameters
    ----------
    side : str
        ``left`` or ``right``.
    planned : int
        How many.
    settings : Settings
        The limits that the report will use: they decide what counts.
    calibration : Recording or None
        The session's trunk lean, where there is one.
    """

    def __init__(
        self, side: str, planned: int, settings: Settings, calibration: Recording | None = None
    ) -> None:
        super().__init__(side, side)
        self.planned = planned
        self.settings = settings
        self.calibration = calibration
        self.events: list[Event] = []
        self.counted = 0

    def look(self, recording: Recording, say: Say) -> bool:
        """Count whole repetitions that have settled."""
        (found,) = analyse_sets([recording], self.settings, self.calibration, self.events)
        last_s = float(found.angles.time_s[-1]) - SETTLED_S
        counted = sum(rep.counts and rep.end_s <= last_s for rep in found.reps)
        if counted > self.counted:
            self.counted = counted
            say(f"{counted} of {self.planned} repetitions.")
        return self.counted >= self.planned


class LeanWatcher(Watcher):
    """Stops the recording of a trunk lean once it says which way the pelvis sensor points."""

    def __init__(self) -> None:
        super().__init__(CALIBRATION, "")
        self.counted = 0

    def look(self, recording: Recording, say: Say) -> bool:
        """Count the leans, and wait for the last one to end."""
        lean = study_lean(recording)
        if lean.leans > self.counted:
            self.counted = lean.leans
            say(f"{lean.leans} of {LEANS} leans.")
        return lean.leans >= LEANS and lean.upright_at_end


async def guide_lift(
    mark: Callable[[], bool], say: Say, told: Callable[[], None] = lambda: None
) -> None:
    """Ask for the lift and write its marker, as soon as the set runs.

    Parameters
    ----------
    mark : callable
        Writes the marker, now; False before the set runs.
    say : callable
        Tells the person.
    told : callable
        Is called once the marker stands.
    """
    while not mark():
        await asyncio.sleep(LIFT_TICK_S)
    told()
    say(LIFT)


def lean_words(lean: Lean) -> str:
    """Say in one line which way the pelvis sensor points."""
    if lean.off_deg > 90.0:
        return "The sensor faces forward, +z to the belly; it is used as it is worn."
    return f"The sensor faces backward, {lean.off_deg:.0f}° off."
