"""The limits of verdicts and flags: named, with their defaults, settable in one TOML file.

Their reasons stand in ``reference/limits.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imu.errors import CallError
from imu.validation import POSITIVE, check_limits, limited, made

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
    knee_flexion_limit_deg : float
        A knee that straightens further is flagged ``knee_straightens``: it is another drill.
    knee_rotation_limit_deg : float
        A shank that turns further about its own axis is flagged ``knee_turns``.
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
    mdc_source : str
        Whose minimal detectable changes these are, where they are one's own.
    mdc : Mapping of str to float
        One's own minimal detectable changes by the measure's name, in its unit.
    """

    pelvis_tilt_limit_deg: float = limited(5.0, POSITIVE)
    pelvis_obliquity_limit_deg: float = limited(5.0, POSITIVE)
    pelvis_rotation_limit_deg: float = limited(5.0, POSITIVE)
    hip_flexion_limit_deg: float = limited(10.0, POSITIVE)
    hip_adduction_limit_deg: float = limited(10.0, POSITIVE)
    knee_flexion_limit_deg: float = limited(10.0, POSITIVE)
    knee_rotation_limit_deg: float = limited(8.0, POSITIVE)
    min_hold_s: float = limited(0.5, POSITIVE)
    bounce_limit_deg: float = limited(1.5, POSITIVE)
    return_error_limit_deg: float = limited(3.0, POSITIVE)
    overshoot_limit_deg: float = limited(4.0, POSITIVE)
    max_speed_deg_s: float = limited(60.0, POSITIVE)
    return_speed_ratio: float = limited(1.5, POSITIVE)
    max_gap_s: float = limited(0.5, POSITIVE)
    mdc_range_deg: float = limited(5.4, POSITIVE)
    mdc_phone_range_deg: float = limited(16.0, POSITIVE)
    mdc_source: str = ""
    mdc: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_limits(self)
        for name, value in self.mdc.items():
            if value <= 0.0:
                raise CallError(f"mdc.{name} is {value!r}, expected above 0.")
        if len(self.mdc_source) > MAX_LETTERS or not self.mdc_source.isprintable():
            what = f"mdc_source is {self.mdc_source!r:.60}"
            raise CallError(f"{what}. Give a text of one line, {MAX_LETTERS} letters.")

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
    return made(Settings, table, source)
