"""Streams -> are the numbers what they claim to be: units, signs, axes.

At rest an accelerometer reads 9.81 m/s², whichever way it lies; and where a sensor turns, gravity
turns the other way round in its axes by the same angle. Both hold for every sensor that sits on a
seated person, so a wrong unit shows as a wrong ratio. It is named and refused, not guessed away.
Sensors that are pushed about more than they turn fool the ratio: a refusal needs proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid

from analysis.errors import AnalysisError
from analysis.motion.readings import FITS, Reading, best_reading
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import DEG_PER_RAD, RAD_PER_DEG, STANDARD_GRAVITY_MS2

BIN_S = 0.5
CALM = 0.1  # mean deviation from 1 g; beyond, the specific force is not gravity
MIN_TURN_RAD = 0.3 * RAD_PER_DEG  # from bin to bin; less may be noise
MIN_TIP_RAD = 1.0 * RAD_PER_DEG  # the same by gravity; less may be swaying
SURE = 4.0  # standard errors
MIN_GAIN, MAX_GAIN = 0.3, 3.0  # beyond, turns by gravity and by the gyroscope disagree
CLEAR = 0.75  # explained share of the turns at which a wrong gain is no accident of movement
WRONG_FACTORS = (-1.0, DEG_PER_RAD, RAD_PER_DEG)  # the inverse of what wrong signs and units give
ALIKE = 1.4  # so near to one of them a gain must be
ABSURD_GAIN = 1e-3  # a gyroscope a thousand times too large
PROVEN = 4.0  # times as well another reading must fit; of sound sensors none did better than 1.5
PROVEN_OFF = 2.0  # the same where single turns disagree, too
DEGREES = "Multiply by 0.0174533 (degrees to radians)."
MAX_RATE_RADS = 40.0  # 2300 deg/s: beyond the field's full scales, and any thigh
AT_REST_MS2 = (0.8 * STANDARD_GRAVITY_MS2, 1.2 * STANDARD_GRAVITY_MS2)

# What 1 g reads in other units: name, and the factor to m/s².
ACC_UNITS = (
    (1.0, "g", "multiply by 9.80665"),
    (1000.0, "thousandths of g (or cm/s²)", "multiply by 0.00980665 (cm/s²: by 0.01)"),
    (32.17, "ft/s²", "multiply by 0.3048"),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the turns that the gyroscope tells compare with those that gravity shows.

    Attributes
    ----------
    gain : float
        Turn by gravity over turn by the gyroscope: 1 where all is well, 1/57.3 where the
        gyroscope reads degrees, -1 where its axes are reversed, infinite where it reads nothing.
    gain_sd : float
        Its standard error; infinite where the sensor hardly turned.
    explained : float
        Share of the turns by gravity that those of the gyroscope, times the gain, explain.
    """

    gain: float
    gain_sd: float
    explained: float = 0.0

    @property
    def off(self) -> bool:
        """Whether the gain is no gain of a sound sensor that mainly turns, beyond doubt."""
        return self.surely_below(MIN_GAIN) or self.surely_above(MAX_GAIN)

    def surely_below(self, limit: float) -> bool:
        """Whether the gain is below a limit beyond doubt."""
        return self.gain + SURE * self.gain_sd < limit

    def surely_above(self, limit: float) -> bool:
        """Whether the gain is above a limit beyond doubt."""
        return self.gain - SURE * self.gain_sd > limit


@dataclass(frozen=True, slots=True)
class AxesReport:
    """Whether the gyroscope of a sensor fits its accelerometer.

    Attributes
    ----------
    agreement : Agreement
        Of single turns, as written.
    reading : Reading
        The axes and the unit that explain the whole course best.
    wrong : bool
        Axes or units are wrong beyond doubt.
    odd : bool
        The turns disagree, but nothing is proven: worth a word and a grade.
    """

    agreement: Agreement
    reading: Reading
    wrong: bool
    odd: bool


ENOUGH_SAMPLES = 60_000  # units do not change within a recording: ten minutes at 100 Hz tell them


def refuse_implausible(recording: Recording, leg: str = "thigh") -> None:
    """Refuse pelvis and leg sensor whose numbers are in other units or axes than the contract's.

    Raises
    ------
    AnalysisError
        Names the sensor, the unit it seems to be in, and the factor.
    """
    for name in ("pelvis", leg):
        stream, where = recording.streams[name], f"{recording.source}, {name}"
        _refuse_acc(stream, where)
        _refuse_gyr(stream, where)


def rest_ms2(stream: Stream) -> float:
    """Typical magnitude of the specific force: 9.81 for a person who moves slowly."""
    some = stream.acc_ms2[:: len(stream.acc_ms2) // ENOUGH_SAMPLES + 1]
    return float(np.median(np.linalg.norm(some, axis=1)))


def _refuse_acc(stream: Stream, where: str) -> None:
    """Refuse an accelerometer that does not read about 9.81 at rest."""
    rest = rest_ms2(stream)
    if AT_REST_MS2[0] <= rest <= AT_REST_MS2[1]:
        return
    what = f"acc reads {rest:.3g} at rest, expected 9.81"
    for reads, unit, factor in ACC_UNITS:
        if 0.8 * reads <= rest <= 1.2 * reads:
            raise AnalysisError(where, f"{what}: these are {unit}", f"{factor.capitalize()}.")
    remedy = "Write acc in m/s², with the sensor's scale applied."
    if rest < 0.5:
        remedy = "Gravity has been taken out, or nothing was measured; export the raw acceleration."
    raise AnalysisError(where, what, remedy)


def _refuse_gyr(stream: Stream, where: str) -> None:
    """Refuse a gyroscope that is beyond doubt in other units or axes than the accelerometer's."""
    axes = judge_axes(stream)
    if axes.wrong:
        raise AnalysisError(where, *_accusation(axes))
    fastest = float(np.linalg.norm(stream.gyr_rads, axis=1).max())
    if fastest > MAX_RATE_RADS:
        what = f"gyr reads up to {fastest:.3g}: as rad/s that is impossible"
        raise AnalysisError(where, what, DEGREES)


def judge_axes(stream: Stream) -> AxesReport:
    """Judge whether a gyroscope and an accelerometer are in the same axes, and in SI units.

    Parameters
    ----------
    stream : Stream
        Any person's. A sensor that hardly turns against gravity shows nothing and is not odd.

    Returns
    -------
    AxesReport
        ``wrong`` only where it is proven: another reading of the axes or the unit lets the
        specific force stand still in the world (`analysis.motion.readings`), a wrong factor
        explains the single turns, or the gyroscope is silent. What merely does not agree, such as a
        sensor's turns that is pushed about more than it turns, is ``odd``.
    """
    agreement = gyroscope_against_gravity(stream)
    off = agreement.off
    reading = best_reading(stream)
    calm = reading.best_misfit < FITS
    wrong = reading.proves_wrong(PROVEN_OFF if off and calm else PROVEN)
    silent = abs(agreement.gain) < ABSURD_GAIN or bool(np.isinf(agreement.gain))
    clear = agreement.explained > CLEAR and any(
        1 / ALIKE < agreement.gain * factor < ALIKE for factor in WRONG_FACTORS
    )
    wrong = wrong or (off and (silent or clear))
    return AxesReport(agreement, reading, wrong, off and not wrong)


def _accusation(axes: AxesReport) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    gain, reading = axes.agreement.gain, axes.reading
    absurd = abs(gain) < ABSURD_GAIN or np.isinf(gain)
    if reading.scale < 1.0 and not absurd:
        told = f"{1.0 / gain:.0f}" if 0.7 < gain * DEG_PER_RAD < 1.4 else "57"
        return f"gyr tells {told} times the turn that acc shows: these are deg/s", DEGREES
    reversed_all = bool((reading.axes == -np.eye(3)).all())
    if reading.scale == 1.0 and not absurd and (reversed_all or -1.5 < gain < -0.6):
        return (
            "gyr turns the other way round than acc shows",
            "Write both in the same right-handed axes; check the signs and their order.",
        )
    if reading.scale == 1.0 and not absurd and not (reading.axes == np.eye(3)).all():
        what = f"gyr and acc disagree on how the sensor turned; {reading.words} would agree"
        return what, "Write both in the same right-handed axes; check the signs and their order."
    what = f"gyr and acc disagree on how the sensor turned (ratio {gain:.2g}, expected 1)"
    return what, "Write gyr in rad/s, in the same axes as acc, and time_s in seconds."


def gyroscope_against_gravity(stream: Stream) -> Agreement:
    """Compare the gyroscope's turns with those of gravity in sensor axes.

    Parameters
    ----------
    stream : Stream
        Any seated person's; turns about the vertical are not seen and do not matter.

    Returns
    -------
    Agreement
        The gyroscope's bias is fitted along with the gain.

    Notes
    -----
    A direction u at rest in the world changes in sensor axes by du/dt = -w x u. It is taken from
    half-second means of the specific force, so that sways and shocks average out.
    """
    starts, means = _binned(stream)
    if len(starts) < 5:
        return Agreement(1.0, np.inf)
    time_s, shaken, angle, force = means[:, 0], means[:, 1], means[:, 2:5], means[:, 5:]
    length = np.linalg.norm(force, axis=1, keepdims=True)
    up = force / np.maximum(length, 1e-9)
    calm = shaken < CALM
    next_to = (np.diff(starts) == 1) & calm[1:] & calm[:-1]
    middle = (0.5 * (up[1:] + up[:-1]))[next_to]
    turned = np.diff(angle, axis=0)[next_to]
    step_s = np.diff(time_s)[next_to]
    told = -np.cross(turned, middle).ravel()
    seen = np.diff(up, axis=0)[next_to].ravel()
    return _gain(told, seen, _bias_columns(middle, step_s))


def _binned(stream: Stream) -> tuple[Array, Array]:
    """Means over half-seconds of time, shaking, angle turned through and specific force."""
    time_s = stream.time_s[:ENOUGH_SAMPLES] - stream.time_s[0]
    acc_ms2 = stream.acc_ms2[:ENOUGH_SAMPLES]
    angle = cumulative_trapezoid(stream.gyr_rads[:ENOUGH_SAMPLES], time_s, axis=0, initial=0)
    rest = max(rest_ms2(stream), 1e-9)
    shaken = np.abs(np.linalg.norm(acc_ms2, axis=1) / rest - 1.0)
    columns = np.column_stack([time_s, shaken, angle, acc_ms2])
    numbers = np.floor(time_s / BIN_S)
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1) > 0)
    counts = np.diff(firsts, append=len(time_s))
    means = np.add.reduceat(columns, firsts, axis=0) / counts[:, None]
    return numbers[firsts], means


def _bias_columns(up: Array, step_s: Array) -> Array:
    """What a constant bias about each axis adds to the turns told, shape (3 k, 3)."""
    columns = [-np.cross(axis, up) * step_s[:, None] for axis in np.eye(3)]
    return np.stack([column.ravel() for column in columns], axis=1)


def _gain(told: Array, seen: Array, bias: Array) -> Agreement:
    """Regress the turns seen on those told, with a bias."""
    if len(told) < 15:
        return Agreement(1.0, np.inf)
    told = told - bias @ np.linalg.lstsq(bias, told, rcond=None)[0]
    seen = seen - bias @ np.linalg.lstsq(bias, seen, rcond=None)[0]
    bins = len(told) / 3
    squares = float(told @ told)
    if squares < MIN_TURN_RAD**2 * bins and seen @ seen < MIN_TIP_RAD**2 * bins:
        return Agreement(1.0, np.inf)
    if squares == 0.0:
        return Agreement(np.inf, 0.0)
    gain = float(told @ seen) / squares
    left = seen - gain * told
    variance = float(left @ left) / (len(told) - 4) / squares
    explained = 1.0 - float(left @ left) / max(float(seen @ seen), 1e-30)
    return Agreement(gain, float(np.sqrt(variance)), explained)
