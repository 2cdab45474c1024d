"""What is told of a set while it is recorded, as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from analysis.app.hub import Hub
from analysis.app.messages import Start
from imu.collector.observer import SensorStatus
from imu.transports.hostclock import now

SHOWN_S = 0.5
GO = "Go."
LEAN_GO = "Lean forward and back, three times."
TURNING = "Turn the thigh slowly inward, pause, and guide it back."


def state_message(asked: Start | None, state: str, text: str, **more: Any) -> dict[str, Any]:
    """Lay out the message ``state``: where things stand, and what the person is to do."""
    told = {
        "type": "state",
        "state": state,
        "text": text,
        "person": asked.person if asked else None,
        "session": asked.session if asked else None,
        "side": asked.side if asked else None,
        "mode": asked.mode if asked else None,
        "planned_reps": asked.planned_reps if asked else None,
        "target_deg": asked.target_deg if asked else None,
        "pace": dict(asked.pace) if asked and asked.pace else None,
        "set": None,
        "error": None,
    }
    return {**told, **more}


class Told:
    """What the recorder says, as states and notes.

    Parameters
    ----------
    tell : callable
        Takes a state and its text.
    hub : Hub
        Takes notes and sensors.
    """

    def __init__(self, tell: Callable[[str, str], None], hub: Hub) -> None:
        self._tell = tell
        self._hub = hub
        self._shown_s = 0.0

    def say(self, text: str) -> None:
        """Tell one thing."""
        if text in (GO, LEAN_GO):
            self._tell("recording", TURNING if text == GO else text)
        elif text == "Sit still." or text.isdigit():
            self._tell("settling", text)
        else:
            self._hub.publish({"type": "note", "text": text})

    def show(self, sensors: Sequence[SensorStatus], elapsed_s: float | None) -> None:
        """Tell how the sensors are."""
        del elapsed_s
        if now() - self._shown_s >= SHOWN_S:
            self._shown_s = now()
            self._hub.publish({"type": "sensors", "sensors": [asdict(one) for one in sensors]})
