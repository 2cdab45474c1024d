"""Named conditions a set can meet: what is hard about each is in its name.

In all of them the pelvis sensor is 3 degrees off flat, and pelvis and off-axis hip move a little in
step with the turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from imu.simulator.settings import DrillSettings, SensorSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of one condition."""

    drill: DrillSettings
    sensors: SensorSettings


_DRILL = DrillSettings(mixed_signs=True)
_GOOD = SensorSettings()
_CONSUMER = SensorSettings(
    rate_hz=60, gyr_noise_deg_s_rthz=0.015, gyr_bias_deg_s=0.8, acc_noise_mg=10
)
_RADIO = replace(
    _CONSUMER,
    arrivals=True,
    pelvis_clock_ppm=80.0,
    thigh_clock_ppm=-80.0,
    late_bursts_per_min=6.0,
    loss=0.02,
)
_POOR = SensorSettings(
    rate_hz=60,
    gyr_noise_deg_s_rthz=0.03,
    gyr_bias_deg_s=3.0,
    acc_noise_mg=30,
    gyr_scale_sd=0.01,
    acc_scale_sd=0.01,
)

PRESETS = {
    "clean": Preset(_DRILL, _GOOD),
    "consumer60": Preset(_DRILL, _CONSUMER),
    "two_clocks_loss": Preset(_DRILL, _RADIO),
    "mixed_rates_gap": Preset(
        _DRILL,
        replace(
            _CONSUMER,
            thigh_rate_hz=120,
            pelvis_gaps=((16.3, 0.4),),
            thigh_gaps=((27.6, 0.4),),
        ),
    ),
    "compensating": Preset(
        replace(_DRILL, pelvis_tilt_deg=6.5, pelvis_obliquity_deg=6.5, pelvis_rotation_deg=6.5),
        _CONSUMER,
    ),
    "range8": Preset(replace(_DRILL, range_deg=8.0, return_error_deg=0.2), _CONSUMER),
    "slow10": Preset(replace(_DRILL, inward_s=4.5, hold_s=1.0, return_s=4.5), _CONSUMER),
    "fast1": Preset(
        replace(_DRILL, inward_s=0.5, hold_s=0.0, return_s=0.5, pause_s=0.6), _CONSUMER
    ),
    "bounces": Preset(replace(_DRILL, bounces=2), _CONSUMER),
    "two_stage": Preset(replace(_DRILL, stage_stop_s=0.45, inward_s=2.6), _CONSUMER),
    "overshoot": Preset(replace(_DRILL, overshoot_deg=8.0), _CONSUMER),
    "twitches": Preset(replace(_DRILL, twitch_deg=3.0), _CONSUMER),
    "fidgeting": Preset(replace(_DRILL, fidget_before_s=5.0, fidget_after_s=6.0), _CONSUMER),
    "off_level15": Preset(replace(_DRILL, off_level_deg=15.0), _CONSUMER),
    "poor": Preset(_DRILL, _POOR),
    "swaying": Preset(replace(_DRILL, sway_deg=1.5, sway_m=0.01), _CONSUMER),
    "reps60": Preset(replace(_DRILL, reps=60), _CONSUMER),
}
