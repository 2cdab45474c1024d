"""A seated person with two sensors, and the truth.

It shares no code with the analysis beyond units and value types, so that the two can disagree.

``trajectory``, ``settings``
    Exact angles over time; what the person does and what the sensors are like.
``drill``, ``motion``
    The set as planned; the true pose of every segment.
``sensors``, ``truth``, ``faults``
    What sensors there would read; the contract's rows by its own definitions; what goes wrong.
``simulated_set``, ``sessions``
    `simulate_set`: all of that for one set; `simulate_session`: for a visit.
``presets``, ``tables``, ``files``
    Named conditions; settings from TOML; the contract's files.
"""

from imu.simulator.settings import DrillSettings, SensorSettings
from imu.simulator.simulated_set import Truth, simulate_set

__all__ = ["DrillSettings", "SensorSettings", "Truth", "simulate_set"]
