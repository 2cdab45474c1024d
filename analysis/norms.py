"""What other people's hips turn, as context and never as a verdict.

No figures by age and sex with their spread were found for seated active internal rotation, so that
nobody can be placed in a percentile; what is there was measured with other instruments. None of it
says anything about injury.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Norm:
    """A published mean of seated internal rotation.

    Attributes
    ----------
    range_deg : str
        The mean, or its range over groups, in degrees.
    population, position, source : str
        Who, how they sat and were measured, and where it stands.
    """

    range_deg: str
    population: str
    position: str
    source: str


NORMS = (
    Norm(
        "30.7–32.8°",  # noqa: RUF001  the dash of ranges is meant for people
        "25 people of 22 to 42 years, active",
        "seated, active, digital inclinometer on the lower leg",
        "Krause et al. 2015",
    ),
    Norm(
        "37.9°",
        "120 adults of 20 to 60 years, less with age",
        "seated, from photographs",
        "Kouyoumdjian et al. 2012",
    ),
    Norm(
        "27.9°",
        "100 students of 18 to 27 years, active",
        "seated, active, goniometer",
        "Indian J Physiother Occup Ther, hip position and gender",
    ),
)
NORM_CAUTION = (
    "Means of other people by other instruments, for orientation; nobody is judged by them, and "
    "they say nothing about injury."
)
