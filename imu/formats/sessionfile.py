"""``session.json`` <-> values, without files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from imu.errors import RecordingError
from imu.formats import csvfile
from imu.formats.csvfile import place, shown
from imu.recording import Correction, SensorInfo, SessionInfo, Source
from imu.units import MODES, SEGMENTS, SIDES

SCHEMA = "hiprot.session/1"
MAX_PLANNED_REPS = 1000
Value = TypeVar("Value")


def parse_info(data: bytes, source: str = "session.json") -> SessionInfo:
    """Parse ``session.json``.

    Parameters
    ----------
    data : bytes
        The file's content, UTF-8.
    source : str
        The file's name, for messages.

    Returns
    -------
    SessionInfo
        A key that is absent or null is None. Keys unknown to us are left alone.

    Raises
    ------
    RecordingError
        Not JSON, another schema, or a value of the wrong type or out of range; names the key.
    """
    document = _parse_json(data, source)
    schema = _string(document, "schema", source)
    if schema not in (None, SCHEMA):
        what = f"the schema is {shown(str(schema))}, expected {SCHEMA}"
        raise RecordingError(f"{source}, key schema", what, "Read it with a newer version.")
    started = _string(document, "started", source)
    if started is not None:
        _refuse_bad_time(started, source)
    planned = _number(document, "planned_reps", source, 1, MAX_PLANNED_REPS)
    if planned is not None and planned != int(planned):
        raise _wrong(source, "planned_reps", planned, "a whole number")
    sensors = document.get("sensors")
    if sensors is not None and not isinstance(sensors, dict):
        raise _wrong(source, "sensors", sensors, "an object")
    return SessionInfo(
        subject=_string(document, "subject", source),
        started=started,
        planned_reps=None if planned is None else int(planned),
        sensors={
            segment: _parse_sensor(sensors[segment], f"sensors.{segment}.", source)
            for segment in SEGMENTS
            if sensors is not None and sensors.get(segment) is not None
        },
        notes=_string(document, "notes", source),
        context=_string(document, "context", source),
        modes=_parse_modes(document, source),
        corrections=_parse_corrections(document, source),
        source=_parse_source(document, source),
    )


def _parse_source(document: Mapping[str, object], source: str) -> Source | None:
    """Parse where imported sets came from."""
    if document.get("source") is None:
        return None
    table = _table(document, "source", source)
    files = table.get("files") or []
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        raise _wrong(source, "source.files", files, "a list of texts")
    hashes = _table(table, "hashes", source, "source.")
    found = {name: _string(hashes, name, source, "source.hashes.") or "" for name in hashes}
    texts = (_string(table, key, source, "source.") for key in ("format", "sha256", "device"))
    form, sha256, device = texts
    return Source(form, tuple(files), sha256, device, found)


def _parse_modes(document: Mapping[str, object], source: str) -> dict[str, str]:
    """Parse how each set was coached; a mode unknown to us is none that we can show."""
    modes = _table(document, "modes", source)
    found = {name: _string(modes, name, source, "modes.") for name in modes}
    for name, mode in found.items():
        if mode is not None and mode not in MODES:
            raise _wrong(source, f"modes.{name}", mode, f"one of {', '.join(MODES)}")
    return {name: mode for name, mode in found.items() if mode is not None}


def _parse_corrections(document: Mapping[str, object], source: str) -> dict[str, Correction]:
    """Parse what was mislabelled, by set."""
    corrections = _table(document, "corrections", source)
    found = {}
    for name in corrections:
        prefix = f"corrections.{name}."
        entry = _table(corrections, name, source, "corrections.")
        side = _string(entry, "side", source, prefix)
        if side is not None and side not in SIDES:
            raise _wrong(source, f"{prefix}side", side, "left or right")
        swap = entry.get("swap_sensors") or False
        if not isinstance(swap, bool):
            raise _wrong(source, f"{prefix}swap_sensors", swap, "true or false")
        found[name] = Correction(side, swap, _string(entry, "why", source, prefix) or "")
    return found


def _table(
    document: Mapping[str, object], key: str, source: str, prefix: str = ""
) -> dict[str, object]:
    """Take one object out of an object; empty where there is none."""
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(source, prefix + key, value, "an object")
    return value


def _parse_json(data: bytes, source: str) -> dict[str, object]:
    """Parse one JSON object, strictly: no NaN, no key twice."""
    remedy = "Mend it, or remove the file: it is optional."
    try:
        document = strict_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RecordingError(source, f"not UTF-8 at byte {error.start}", "Save as UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"{place(source, error.lineno)}, character {error.colno}"
        raise RecordingError(where, f"not JSON: {error.msg}", remedy) from None
    except (ValueError, RecursionError) as error:
        raise RecordingError(source, f"not JSON we read: {str(error)[:120]}", remedy) from None
    if not isinstance(document, dict):
        raise RecordingError(source, "the document is not an object {...}", remedy)
    return document


def strict_json(text: str) -> object:
    """Parse JSON strictly: no NaN, no key twice.

    Raises
    ------
    ValueError, RecursionError
        It is not such JSON, or nested beyond reason.
    """
    value: object = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its pairs, each key once."""
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} stands twice")
    return table


def _no_constant(name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(f"{name} is not JSON")


def _parse_sensor(table: object, prefix: str, source: str) -> SensorInfo:
    """Parse what ``session.json`` says of one sensor."""
    if not isinstance(table, dict):
        raise _wrong(source, prefix.rstrip("."), table, "an object")
    return SensorInfo(
        model=_string(table, "model", source, prefix),
        address=_string(table, "address", source, prefix),
        firmware=_string(table, "firmware", source, prefix),
        rate_hz=_number(table, "rate_hz", source, 0.1, 1e5, prefix),
        battery_percent=_number(table, "battery_percent", source, 0, 100, prefix),
    )


def _string(table: Mapping[str, object], key: str, source: str, prefix: str = "") -> str | None:
    """Take one text out of an object."""
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not encodable(value):
        raise _wrong(source, prefix + key, value, "a text")
    return value


def encodable(text: str) -> bool:
    """Whether a text can be written: JSON may hold half a character (a lone surrogate)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(
    table: Mapping[str, object], key: str, source: str, low: float, high: float, prefix: str = ""
) -> float | None:
    """Take one number within its range out of an object."""
    value = table.get(key)
    if value is None:
        return None
    expected = f"a number from {low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _wrong(source, prefix + key, value, expected)
    return float(value)


def _wrong(source: str, key: str, value: object, expected: str) -> RecordingError:
    """Say that a key holds something else than expected."""
    what = f"{ascii(value)[: csvfile.SHOWN_CHARACTERS]} is not {expected}"
    return RecordingError(f"{source}, key {key}", what, "Correct the key or leave it out.")


def _refuse_bad_time(started: str, source: str) -> None:
    """Refuse a start that is no ISO 8601 date and time."""
    try:
        datetime.fromisoformat(started)
    except ValueError:
        expected = "a date and time such as 2026-11-22T09:30:00+01:00"
        raise _wrong(source, "started", started, expected) from None


def format_info(info: SessionInfo) -> str:
    """Write ``session.json``; what is None is left out. `parse_info` reads it back."""
    return _format_json(_known(info))


def _known(info: SessionInfo) -> dict[str, object]:
    """Lay out what is known of a session as ``session.json`` has it."""
    document: dict[str, object] = {"schema": SCHEMA}
    document |= {key: value for key, value in asdict(info).items() if value not in (None, {})}
    if info.sensors:
        document["sensors"] = {
            segment: sensor_document(sensor) for segment, sensor in info.sensors.items()
        }
    if info.source is not None:
        document["source"] = _source_document(info.source)
    if info.corrections:
        document["corrections"] = {
            name: _correction_document(one) for name, one in info.corrections.items()
        }
    return document


def _source_document(source: Source) -> dict[str, object]:
    """Lay out where imported sets came from; what is not known is left out."""
    return {key: value for key, value in asdict(source).items() if value not in (None, {}, ())}


def _correction_document(correction: Correction) -> dict[str, object]:
    """Lay out one correction; what it leaves as it was is left out."""
    return {key: value for key, value in asdict(correction).items() if value not in (None, False)}


def sensor_document(sensor: SensorInfo) -> dict[str, object]:
    """Lay out what is known of one sensor, as JSON has it."""
    return {key: value for key, value in asdict(sensor).items() if value is not None}


def _format_json(document: Mapping[str, object]) -> str:
    """Write a document for people to read."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def merge_info(data: bytes, info: SessionInfo, source: str = "session.json") -> str:
    """Add to a ``session.json`` what it does not say yet.

    Parameters
    ----------
    data : bytes
        The file's content as it is.
    info : SessionInfo
        What is to be added. The sensors it names, and the source, replace the file's; else the
        file stays right.
    source : str
        The file's name, for messages.

    Returns
    -------
    str
        The new content; keys unknown to us are kept, those of a sensor, too.

    Raises
    ------
    RecordingError
        What is there is no ``session.json``, see `parse_info`, or cannot be written again.
    """
    parse_info(data, source)
    present = _parse_json(data, source)
    new = _known(info)
    document = new | {key: value for key, value in present.items() if value is not None}
    if info.sensors:
        before = present.get("sensors")
        sensors: dict[str, object] = dict(before) if isinstance(before, dict) else {}
        for segment, sensor in info.sensors.items():
            entry = sensors.get(segment)
            kept = entry if isinstance(entry, dict) else {}
            own = {key: value for key, value in kept.items() if key not in asdict(SensorInfo())}
            sensors[segment] = own | sensor_document(sensor)
        document["sensors"] = sensors
    if info.source is not None:
        before = present.get("source")
        own = dict(before) if isinstance(before, dict) else {}
        document["source"] = own | dict(_source_document(info.source))
    try:
        text = _format_json(document)
        return text if encodable(text) else json.dumps(document, indent=2) + "\n"
    except (ValueError, RecursionError) as error:  # a number too large, a nesting too deep
        what = f"it cannot be added to: {str(error)[:120]}"
        raise RecordingError(source, what, "Mend it, or remove the file: it is optional.") from None


def with_correction(
    data: bytes | None, set_name: str, correction: Correction | None, source: str = "session.json"
) -> str:
    """Put one set's correction into a ``session.json``, in place of an earlier one.

    Parameters
    ----------
    data : bytes or None
        The file's content as it is; None where there is none.
    set_name : str
        The set.
    correction : Correction or None
        What it shall say; None takes it out.
    source : str
        The file's name, for messages.

    Returns
    -------
    str
        The new content; all other keys are kept.

    Raises
    ------
    RecordingError
        What is there is no ``session.json``, see `parse_info`.
    """
    document: dict[str, object] = {"schema": SCHEMA}
    if data is not None:
        parse_info(data, source)
        document |= _parse_json(data, source)
    corrections = dict(_table(document, "corrections", source))
    corrections.pop(set_name, None)
    if correction is not None:
        corrections[set_name] = _correction_document(correction)
    document.pop("corrections", None)
    if corrections:
        document["corrections"] = corrections
    text = _format_json(document)
    return text if encodable(text) else json.dumps(document, indent=2) + "\n"
