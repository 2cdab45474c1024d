"""The times of samples by a sensor's counter: unwrapped, duplicates and restarts told."""

from __future__ import annotations

from dataclasses import dataclass

MAX_EARLY_S = 1.0  # a sample from the future by more is garbage or another clock
MAX_LATE_S = 60.0  # no link holds samples back for longer


@dataclass(slots=True)
class DeviceClock:
    """Unwraps a sensor's counter; tells samples that came before from a clock that started anew.

    A sample can be late but never early. So its delay (arrival minus device time) lies between the
    smallest one so far, give or take the clocks' skew, and the longest time a link can hold it
    back. Outside of that the counter is damaged, or the sensor's clock started anew; the second is
    believed right after a lost link, and otherwise when the next counter agrees with it.

    Parameters
    ----------
    bits : int
        Width of the counter.
    unit_s : float
        Seconds of one count.
    """

    bits: int
    unit_s: float
    restarts: int = 0
    _counter: int | None = None
    _time_s: float = 0.0
    _least_delay_s: float = 0.0
    _since_s: float = 0.0
    _last_arrival_s: float = 0.0
    _relinked: bool = False
    _suspect: tuple[int, float] | None = None

    def relink(self) -> None:
        """Expect that the clock may have started anew."""
        self._relinked = True
        self._suspect = None

    def step_s(self, before: int, now: int) -> float:
        """Seconds from one counter to another, the shorter way round; negative if back."""
        half = 1 << (self.bits - 1)
        return (((now - before + half) % (1 << self.bits)) - half) * self.unit_s

    def place(self, counter: int, arrival_s: float) -> float | None:
        """Tell the time of a counter.

        Returns
        -------
        float or None
            Seconds by the sensor's clock, unwrapped; not yet increasing where the sample came
            before. None where the counter cannot be true.
        """
        if self._counter is None:
            self._time_s = counter * self.unit_s
            self._anchor(counter, arrival_s)
            return self._time_s
        time_s = self._time_s + self.step_s(self._counter, counter)
        delay_s = arrival_s - time_s
        slack_s = MAX_EARLY_S + 0.01 * (arrival_s - self._since_s)
        if -slack_s <= delay_s - self._least_delay_s <= MAX_LATE_S + slack_s:
            self._relinked, self._suspect = False, None
            if time_s > self._time_s:
                self._counter, self._time_s = counter, time_s
                self._least_delay_s = min(self._least_delay_s, delay_s)
                self._last_arrival_s = arrival_s
            return time_s
        return self._started_anew(counter, arrival_s)

    def _started_anew(self, counter: int, arrival_s: float) -> float | None:
        """Believe a clock that started anew, or wait for the next counter to agree."""
        if not self._relinked:
            suspect, self._suspect = self._suspect, (counter, arrival_s)
            if suspect is None:
                return None
            ahead_s = self.step_s(suspect[0], counter)
            if not 0.0 < ahead_s <= arrival_s - suspect[1] + MAX_EARLY_S:
                return None
        self.restarts += 1
        self._time_s += max(arrival_s - self._last_arrival_s, self.unit_s)
        self._anchor(counter, arrival_s)
        return self._time_s

    def _anchor(self, counter: int, arrival_s: float) -> None:
        self._counter = counter
        self._least_delay_s = arrival_s - self._time_s
        self._since_s = self._last_arrival_s = arrival_s
        self._relinked, self._suspect = False, None
