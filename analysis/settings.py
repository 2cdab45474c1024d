"""The limits of verdicts and flags: named, with their defaults, settable in one TOML file.

Their reasons stand in ``reference/limits.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from imu.errors import CallError

MAX_LETTERS = 200  # of a source


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of the verdicts, in the units their names end in.

    Attributes
    ----------
    pelvis_tilt_limit_deg, pelvis_obliquity_limit_deg, pelvis_rotation_limit_deg : float
        Beyond it, in either direction, a repetition is ``compensated``.
    hip_flexion_limit_deg, hip_adduction_limit_deg : float
        The same for the thigh's movement off the axis.
    min_hold_s : float
        Shorter end-range pauses are flagged ``no_hold``.
    bounce_limit_deg : float
        A reversal this large at the end range is flagged ``bounce``.
    return_error_limit_deg : float
        A return that ends further from where it started is flagged ``return_error``.
    overshoot_limit_deg : float
        Going this far outward past the start at or after the return is flagged ``overshoot``.
    max_speed_deg_s : float
        A faster turn is flagged ``fast``: thrown, not controlled.
    return_speed_ratio : float
        A return this many times faster than the inward turn is flagged ``dropped``.
    max_gap_s : float
        More than this in one piece not measured makes a repetition ``not_counted``.
    mdc_range_deg : float
        Minimal detectable change of the range (Krause et al. 2015).
    mdc_source : str
        Whose minimal detectable changes these are, where they are one's own.
    mdc : Mapping of str to float
        One's own minimal detectable changes by the measure's name, in its unit.
    """

    pelvis_tilt_limit_deg: float = 5.0
    pelvis_obliquity_limit_deg: float = 5.0
    pelvis_rotation_limit_deg: float = 5.0
    hip_flexion_limit_deg: float = 10.0
    hip_adduction_limit_deg: float = 10.0
    min_hold_s: float = 0.5
    bounce_limit_deg: float = 1.5
    return_error_limit_deg: float = 3.0
    overshoot_limit_deg: float = 4.0
    max_speed_deg_s: float = 60.0
    return_speed_ratio: float = 1.5
    max_gap_s: float = 0.5
    mdc_range_deg: float = 5.4
    mdc_source: str = ""
    mdc: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def own_source(self) -> str:
        """Where minimal detectable changes come from that are one's own, in words."""
        said = self.mdc_source
        return f"own minimal detectable change: {said}" if said else "set in the configuration"

    @property
    def range_source(self) -> str:
        """The same for the range; empty where it is the usual figure."""
        usual = self.mdc_range_deg == Settings().mdc_range_deg and not self.mdc_source
        return "" if usual else self.own_source


def settings_from(table: Mapping[str, object], source: str) -> Settings:
    """Make settings of a parsed TOML table; names that are not settings are refused.

    Raises
    ------
    CallError
        An unknown name, a value that is not a positive finite number, or a source that is no
        short text.
    """
    known = [one.name for one in fields(Settings)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise CallError(f"{source}: unknown setting {unknown[0]!r}. Known: {', '.join(known)}.")
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name == "mdc":
            values[name] = _own_changes(value, source)
        elif name == "mdc_source":
            values[name] = _short_text(value, f"{source}: {name}")
        else:
            values[name] = _positive(value, f"{source}: {name}")
    return Settings(**values)


def _own_changes(value: object, source: str) -> dict[str, float]:
    """Names of measures are held against the list of measures where they are used."""
    if not isinstance(value, Mapping):
        raise CallError(f"{source}: mdc is {value!r}. Give a table [mdc], a measure a line.")
    return {str(name): _positive(one, f"{source}: mdc.{name}") for name, one in value.items()}


def _short_text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_LETTERS or not value.isprintable():
        raise CallError(
            f"{where} is {value!r:.60}. Give a text of one line, {MAX_LETTERS} letters."
        )
    return value


def _positive(value: object, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(float(str(value))) or float(str(value)) <= 0:
        raise CallError(f"{where} is {value!r}. Give a positive number.")
    return float(str(value))
