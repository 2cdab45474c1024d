"""What the simulated person does and what the simulated sensors are like.

In the units people speak of: degrees, seconds, milli-g. Every field can stand in a TOML file and on
the command line.
"""

from __future__ import annotations

from dataclasses import dataclass

from imu.errors import CallError
from imu.validation import Limits, check_limits, limited

_SHORTEST = Limits(0.1)  # a movement or a stillness [s]; shorter ones no sensor sees


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """One set of the seated drill.

    Attributes
    ----------
    reps : int
        Repetitions.
    range_deg : float
        Internal rotation of a repetition.
    inward_s, hold_s, return_s, pause_s : float
        Duration of the turn in, of the end-range hold (0: none), of the turn back, and of the
        pause at neutral after it.
    variation : float
        Standard deviation, as a fraction, of the range, the durations and the compensations from
        repetition to repetition.
    return_error_deg : float
        Standard deviation of where a return ends, about neutral.
    stage_stop_s : float
        Above 0 the inward turn stops this long about half-way (two stages).
    bounces, bounce_deg, bounce_s : int, float, float
        Reversals at the end range: how many, how far back, how long one way.
    overshoot_deg, overshoot_pause_s : float
        Outward movement past neutral after every return, and the pause before it; with a pause
        of 0 the return itself runs on outward without a stop.
    twitch_deg : float
        Above 0 every pause holds one small inward twitch of this size.
    fidget_before_s, fidget_after_s : float
        Irregular movements of thigh and pelvis before the still moment and after the set.
    still_before_s, still_after_s : float
        Sitting still before the first repetition and after the last.
    lifts : int
        Guided lifts of the knee between the still moment and the first repetition, each up and down
        again, stillness after the last.
    lift_deg : float
        How far the thigh rises.
    lift_ir_deg, lift_adduction_deg, lift_tilt_deg : float
        What goes along with a lift: the femur's turn inward, the thigh's inward, the pelvis' tilt
        (+ anterior).
    still_after_lift_s : float
        Sitting still between the last lift and the first repetition.
    neutral_drift_deg : float
        How far the neutral IR has moved by the last repetition.
    broken_off : float
        Above 0 the recording ends after this fraction of the last repetition.
    off_level_deg : float
        How far the knee is below the hip: hip flexion at neutral is 90 minus this.
    pelvis_tilt_deg, pelvis_obliquity_deg, pelvis_rotation_deg : float
        Pelvis movement in step with the turn: + anterior, + working side's hip rises, + working
        side's hip moves forward.
    hip_flexion_deg, hip_adduction_deg : float
        Off-axis movement of the hip in step with the turn.
    knee_flexion_deg : float
        How far the knee is bent at neutral; the shank hangs at 90 where the thigh is level.
    knee_bends_deg, knee_gives_deg, knee_twists_deg : float
        In step with the turn: bending of the knee (- straightening), its opening about the femur's
        axis, and the shank's turn inward about its own.
    thigh_skin_share, shank_skin_share : float
        Share of the femur's turn that the skin below a sensor follows.
    skin_lag_s, skin_play_deg : float
        By how much the thigh's skin trails, and stays behind whichever way the femur turns.
    mixed_signs : bool
        Draw the sign of each of these five movements from the seed.
    pelvis_from_rep : int
        First repetition with the whole pelvis movement; a fifth of it before.
    pelvis_growth : float
        Fraction by which it grows with each repetition from then on.
    pelvis_lag_s : float
        By how much the pelvis trails the thigh.
    pelvis_late : float
        Fraction of the inward turn before the pelvis joins in.
    pelvis_residual_deg : float
        Pelvis rotation left at the end of a repetition, root mean square over repetitions.
    breathing_deg : float
        Amplitude of the pelvis tilt with every breath (about 0.25 Hz).
    wander_deg : float
        Slow wander (below 0.05 Hz) of every angle.
    sway_deg, sway_m : float
        Largest postural sway, 0.1 to 0.4 Hz, of pelvis and thigh as one body: rotation in each
        plane, translation along each horizontal axis.
    """

    reps: int = limited(8, Limits(1))
    range_deg: float = limited(32.0, Limits(1, 90))
    inward_s: float = limited(2.2, _SHORTEST)
    hold_s: float = limited(1.0)
    return_s: float = limited(2.4, _SHORTEST)
    pause_s: float = limited(1.2)
    variation: float = limited(0.05, Limits(0, 0.9))
    return_error_deg: float = limited(0.5)
    stage_stop_s: float = limited(0.0)
    bounces: int = limited(0)
    bounce_deg: float = 3.0
    bounce_s: float = limited(0.25, _SHORTEST)
    overshoot_deg: float = 0.0
    overshoot_pause_s: float = limited(0.3)
    twitch_deg: float = limited(0.0)
    fidget_before_s: float = limited(0.0)
    fidget_after_s: float = limited(0.0)
    still_before_s: float = limited(3.0, _SHORTEST)
    still_after_s: float = limited(2.0)
    lifts: int = limited(0)
    lift_deg: float = limited(12.0)
    lift_ir_deg: float = 1.0
    lift_adduction_deg: float = 1.0
    lift_tilt_deg: float = -1.5
    still_after_lift_s: float = limited(2.0, _SHORTEST)
    neutral_drift_deg: float = 0.0
    broken_off: float = limited(0.0, Limits(0, 0.9))
    off_level_deg: float = limited(0.0, Limits(-60, 60))
    pelvis_tilt_deg: float = 1.5
    pelvis_obliquity_deg: float = 1.2
    pelvis_rotation_deg: float = -1.5
    hip_flexion_deg: float = 2.5
    hip_adduction_deg: float = 2.0
    knee_flexion_deg: float = limited(90.0, Limits(0, 140))
    knee_bends_deg: float = 0.0
    knee_gives_deg: float = 0.0
    knee_twists_deg: float = 0.0
    thigh_skin_share: float = limited(1.0, Limits(0.1, 1.5))
    shank_skin_share: float = limited(1.0, Limits(0.1, 1.5))
    skin_lag_s: float = limited(0.0)
    skin_play_deg: float = limited(0.0)
    mixed_signs: bool = False
    pelvis_from_rep: int = 1
    pelvis_growth: float = 0.0
    pelvis_lag_s: float = limited(0.0)
    pelvis_late: float = limited(0.0, Limits(0, 0.9))
    pelvis_residual_deg: float = limited(0.3)
    breathing_deg: float = limited(0.2)
    wander_deg: float = limited(0.1)
    sway_deg: float = limited(0.0)
    sway_m: float = limited(0.0)

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """The sensors, how they are worn, and how their samples reach the host.

    Attributes
    ----------
    rate_hz, thigh_rate_hz : float
        Samples a second of every sensor; of the thigh sensor where it differs (0: the same).
    gyr_noise_deg_s_rthz : float
        White noise density; a sample's standard deviation is this times the root of the rate.
    gyr_bias_deg_s : float
        Magnitude of the constant bias, in a random direction.
    gyr_bias_walk_deg_s_rts : float
        Random walk of the bias on each axis, per root second.
    acc_noise_mg, acc_bias_mg : float
        Standard deviation of a sample on each axis; magnitude of the bias, random direction.
    gyr_scale_sd, acc_scale_sd : float
        Standard deviation of each axis' scale error, as a fraction.
    misalignment_deg : float
        Standard deviation of each axis' small rotation between gyroscope and accelerometer.
    bits, gyr_full_scale_deg_s, acc_full_scale_g : int, float, float
        Quantisation (0 bits: none) and the value at which a sensor saturates.
    arrivals : bool
        Whether there is ``arrival_s``; each sensor then has a clock of its own.
    pelvis_clock_ppm, thigh_clock_ppm : float
        How much faster than the host's clock a sensor's runs; needs ``arrivals``.
    connection_interval_s, latency_s : float
        Packets leave at this interval and take this long, or a little (some ms) longer.
    late_bursts_per_min, late_burst_s : float
        How often nothing gets through, and for how long; it then arrives at once.
    loss : float
        Fraction of samples lost at random.
    pelvis_gaps, thigh_gaps : tuple of (start, duration)
        Times [s from the recording's start] in which every sample is lost.
    duplicates : float
        Fraction of rows written twice.
    pelvis_off_flat_deg : float
        Angle of the pelvis sensor's +z to backward, in a random direction.
    sacrum_tilt_deg : float
        The sacrum's own slope at neutral: how far the pelvis sensor's +z points upward.
    thigh_distal_m, thigh_lateral_m : float
        Where the thigh sensor sits: from the hip along the femur, out from its axis.
    shank_distal_m : float
        Where the shank sensor sits: from the knee along the shank.
    pelvis_behind_m : float
        Where the pelvis sensor sits: behind the line through the hips.
    shank, magnetometer : bool
        A third sensor on the shank; columns of a useless magnetometer.
    """

    rate_hz: float = limited(100.0, Limits(10, 2000))
    thigh_rate_hz: float = limited(0.0, Limits(10, 2000, or_zero=True))
    gyr_noise_deg_s_rthz: float = limited(0.007)
    gyr_bias_deg_s: float = limited(0.3)
    gyr_bias_walk_deg_s_rts: float = limited(0.0003)
    acc_noise_mg: float = limited(2.0)
    acc_bias_mg: float = limited(0.0)
    gyr_scale_sd: float = limited(0.0)
    acc_scale_sd: float = limited(0.0)
    misalignment_deg: float = limited(0.0)
    bits: int = limited(16, Limits(0, 32))
    gyr_full_scale_deg_s: float = 2000.0
    acc_full_scale_g: float = 16.0
    arrivals: bool = False
    pelvis_clock_ppm: float = 0.0
    thigh_clock_ppm: float = 0.0
    connection_interval_s: float = limited(0.03)
    latency_s: float = limited(0.008)
    late_bursts_per_min: float = limited(0.0)
    late_burst_s: float = limited(0.25)
    loss: float = limited(0.0, Limits(0, 0.9))
    pelvis_gaps: tuple[tuple[float, float], ...] = ()
    thigh_gaps: tuple[tuple[float, float], ...] = ()
    duplicates: float = limited(0.0, Limits(0, 0.5))
    pelvis_off_flat_deg: float = 3.0
    sacrum_tilt_deg: float = 0.0
    thigh_distal_m: float = 0.20
    thigh_lateral_m: float = 0.07
    shank_distal_m: float = 0.33
    pelvis_behind_m: float = 0.10
    shank: bool = False
    magnetometer: bool = False

    def __post_init__(self) -> None:
        check_limits(self)
        ppm = (self.pelvis_clock_ppm, self.thigh_clock_ppm)
        if not self.arrivals and ppm != (0, 0):
            raise CallError("arrivals is False, expected true where clocks differ.")
