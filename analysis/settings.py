"""The limits of verdicts and flags: named, with their defaults, settable in one TOML file.

Their reasons stand in ``reference/limits.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from imu.errors import CallError


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
    mdc_phone_range_deg : float
        The same where a phone measured (Spork et al. 2021).
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
    mdc_phone_range_deg: float = 16.0

    def mdc_of(self, device: str) -> float:
        """Minimal detectable change of a range [°] measured by a ``phone``, or by sensors."""
        return self.mdc_phone_range_deg if device == "phone" else self.mdc_range_deg


def settings_from(table: Mapping[str, object], source: str) -> Settings:
    """Make settings of a parsed TOML table; names that are not settings are refused.

    Raises
    ------
    CallError
        An unknown name, or a value that is not a positive finite number.
    """
    known = [field.name for field in fields(Settings)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise CallError(f"{source}: unknown setting {unknown[0]!r}. Known: {', '.join(known)}.")
    values: dict[str, float] = {}
    for name, value in table.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(float(str(value))) or float(str(value)) <= 0:
            raise CallError(f"{source}: {name} is {value!r}. Give a positive number.")
        values[name] = float(str(value))
    return Settings(**values)
