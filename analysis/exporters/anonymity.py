"""What names the person or their sensors, left out of a session."""

from __future__ import annotations

from dataclasses import replace

from imu.recording import Session


def without_identity(session: Session) -> Session:
    """Leave out sensors' addresses and all free text; the person's code stays.

    Free text (notes, the words beside a marker, the reason of a correction) may hold a name, and
    nothing can tell whether it does.

    Examples
    --------
    >>> from imu.recording import SensorInfo, SessionInfo
    >>> info = SessionInfo("P01", notes="Anna", sensors={"thigh": SensorInfo("DOT", "D4:22")})
    >>> without_identity(Session("made-up", info, ())).info.sensors["thigh"]
    SensorInfo(model='DOT', address=None, firmware=None, rate_hz=None, battery_percent=None)
    """
    info = session.info
    sensors = {segment: replace(one, address=None) for segment, one in info.sensors.items()}
    corrections = {name: replace(one, why="") for name, one in info.corrections.items()}
    info = replace(info, sensors=sensors, notes=None, corrections=corrections)
    events = tuple(replace(event, text="") for event in session.events)
    return replace(session, info=info, events=events)
