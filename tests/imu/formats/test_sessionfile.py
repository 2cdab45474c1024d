"""``session.json`` and ``events.csv``: round trips and refusals that name key or place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.errors import RecordingError
from imu.formats.eventfile import format_events, parse_events
from imu.formats.sessionfile import format_info, parse_info
from imu.recording import Event, SensorInfo, SessionInfo
from imu.units import EVENT_KINDS, SEGMENTS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SENSORS = st.builds(
    SensorInfo,
    model=st.none() | TEXTS,
    address=st.none() | TEXTS,
    firmware=st.none() | TEXTS,
    rate_hz=st.none() | st.floats(1, 1000),
    battery_percent=st.none() | st.floats(0, 100),
)
INFOS = st.builds(
    SessionInfo,
    subject=st.none() | TEXTS,
    started=st.none()
    | st.datetimes(timezones=st.none() | st.timezones()).map(lambda d: d.isoformat()),
    planned_reps=st.none() | st.integers(1, 1000),
    sensors=st.dictionaries(st.sampled_from(SEGMENTS), SENSORS),
    notes=st.none() | TEXTS,
)


@given(INFOS)
def test_who_and_when_survive_the_file(info):
    assert parse_info(format_info(info).encode()) == info


def test_every_key_is_optional_and_unknown_ones_are_left_alone():
    assert parse_info(b"{}") == SessionInfo()
    assert (
        parse_info(b'\xef\xbb\xbf{"mood": [1], "notes": null, "sensors": {"foot": 1}}')
        == SessionInfo()
    )
    assert parse_info(b'{"sensors": {"thigh": {}, "pelvis": null}}').sensors == {
        "thigh": SensorInfo()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "session.json, line 1, character 1: not JSON"),
        ('{\n"notes": }', "session.json, line 2, character 10: not JSON"),
        ("[]", "session.json: the document is not an object"),
        ("[" * 100_000, "session.json: not JSON we read"),
        ('{"planned_reps": NaN}', "NaN is not JSON"),
        (f'{{"planned_reps": {"9" * 5000}}}', "session.json: not JSON we read"),
        ('{"notes": "a", "notes": "b"}', "the key 'notes' stands twice"),
        (b'{"notes": "\xff"}', "session.json: not UTF-8 at byte 11"),
        (
            '{"schema": "hiprot.session/2"}',
            "key schema: the schema is 'hiprot.session/2', expected",
        ),
        ('{"schema": 1}', "session.json, key schema: 1 is not a text"),
        ('{"subject": 7}', "session.json, key subject: 7 is not a text"),
        (r'{"subject": "\ud800"}', "session.json, key subject: "),
        ('{"notes": ["a"]}', "session.json, key notes: ['a'] is not a text"),
        ('{"started": "yesterday"}', "key started: 'yesterday' is not a date and time"),
        ('{"planned_reps": "8"}', "key planned_reps: '8' is not a number from 1 to 1000"),
        ('{"planned_reps": true}', "key planned_reps: True is not"),
        ('{"planned_reps": 0}', "key planned_reps: 0 is not"),
        ('{"planned_reps": 1e999}', "key planned_reps: inf is not"),
        ('{"planned_reps": 7.5}', "key planned_reps: 7.5 is not a whole number"),
        ('{"sensors": []}', "key sensors: [] is not an object"),
        ('{"sensors": {"thigh": "x"}}', "key sensors.thigh: 'x' is not an object"),
        ('{"sensors": {"thigh": {"rate_hz": "60"}}}', "key sensors.thigh.rate_hz: '60' is not"),
        ('{"sensors": {"thigh": {"battery_percent": 101}}}', "sensors.thigh.battery_percent: 101"),
    ],
)
def test_a_wrong_session_file_is_refused_with_its_key(text, message):
    with pytest.raises(RecordingError) as refusal:
        parse_info(text if isinstance(text, bytes) else text.encode())
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(["left", "right-2"]),
        st.integers(-(10**9), 10**9).map(lambda micros: micros / 1e6),
        st.sampled_from(EVENT_KINDS),
        st.none() | st.integers(0, 100).map(lambda tenths: tenths / 10),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(
            lambda text: text.strip(" \t")
        ),
    ),
    max_size=5,
)


@given(EVENTS)
def test_markers_survive_the_file(events):
    assert parse_events(format_events(events).encode(), ["left", "right-2"]) == tuple(events)


HEADER = "set,time_s,kind,score,text\n"


def test_markers_stand_in_file_order_with_or_without_a_last_newline():
    rows = 'left,12.5,pain,3,"sharp, in front"\nleft,3,note,,\nleft,4,cramp,0,x'
    events = parse_events((HEADER + rows).encode(), ["left"])
    assert [event.time_s for event in events] == [12.5, 3.0, 4.0]
    assert [event.score for event in events] == [3.0, None, 0.0]
    assert events[0].text == "sharp, in front"


def test_a_header_alone_is_no_marker():
    assert parse_events(HEADER.encode(), ["left"]) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "events.csv: the file is empty"),
        ("set,time_s,kind,text\n", "events.csv, line 1: there is no column score"),
        ("set,time,kind,score,text\n", "no column time_s, but 'time'"),
        (HEADER + "left,1,,,\n", "events.csv, line 2, column kind: '' is no kind of marker"),
        (HEADER + "left,1,Pain,,\n", "column kind: 'Pain' is no kind of marker"),
        (
            HEADER + "left,1,pain,11,\n",
            "events.csv, line 2, column score: '11' is not from 0 to 10",
        ),
        (HEADER + "left,1,pain,-1,\n", "line 2, column score: '-1' is not from 0 to 10"),
        (HEADER + "left,1,pain,nan,\n", "line 2, column score: 'nan' is not a finite number"),
        (HEADER + "left,soon,pain,,\n", "line 2, column time_s: 'soon' is not a finite number"),
        (HEADER + "left,,pain,,\n", "line 2, column time_s: the cell is empty"),
        (
            HEADER + "right,1,pain,,\n",
            "line 2, column set: there is no set 'right'. Sets here: left",
        ),
        (HEADER + "left,1,pain\n", "events.csv, line 2: 3 fields, the header has 5"),
        (HEADER + "left,1,note,,a\nleft,2", "events.csv, line 3: 2 fields, the header has 5"),
        (HEADER + 'left,1,pain,,"a\n', "events.csv, line 2: unexpected end of data"),
        (HEADER.encode() + b"left,1,note,,\xc3", "events.csv: the last line is broken off"),
        (HEADER.encode() + b"left,1,note,,\xe9\n", "events.csv, line 2: byte 0xe9 is not UTF-8"),
    ],
)
def test_wrong_markers_are_refused_with_their_place(text, message):
    with pytest.raises(RecordingError) as refusal:
        parse_events(text if isinstance(text, bytes) else text.encode(), ["left"])
    assert message in str(refusal.value)


def test_what_is_not_known_is_not_written():
    assert json.loads(format_info(SessionInfo())) == {"schema": "hiprot.session/1"}
