"""What is shown while a set is recorded, and what a person types meanwhile."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from imu.errors import CallError, HiprotError

if TYPE_CHECKING:
    from rich.live import Live

    from imu.collector.observer import Observer, SensorStatus
    from imu.collector.recorder import Recorder

MARKERS = {"p": "pain", "i": "pinch", "c": "cramp", "n": "note"}
KEYS = "Enter ends the set. p 0-10 marks pain, i a pinch, c a cramp, n TEXT a note."


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
    screen : Observer
        Tells what was understood.
    """

    def __init__(self, recorder: Recorder, screen: Observer) -> None:
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
