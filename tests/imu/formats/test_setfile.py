"""A set's text: round trips, cuts anywhere, and refusals that name the place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imu.errors import RecordingError
from imu.formats.csvfile import Columns, parse_exactly, parse_fast
from imu.formats.setfile import (
    SET_HEADER,
    format_batch,
    format_batch_exactly,
    format_set,
    parse_set,
)
from imu.frames import Batch, Sample
from imu.recording import Recording
from imu.samples import Stream
from imu.units import SEGMENTS, SET_COLUMNS

HEADER = ",".join(SET_COLUMNS)
ROWS = [
    f"{sensor},{100 + i / 50:.4f},0.1234,9.{i}00,-0.3000,0.0100,-2e-3,0.{i}"
    for i in range(10, 60)
    for sensor in ("pelvis", "thigh")
]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"


def parse(text: str | bytes, name: str = "left", cut: bool = False) -> Recording:
    data = text.encode() if isinstance(text, str) else text
    return parse_set(data, name, f"{name}.csv", cut)


def same(one: Recording, two: Recording) -> bool:
    return format_set(one) == format_set(two)


@st.composite
def recordings(draw) -> Recording:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    segments = SEGMENTS if draw(st.booleans()) else SEGMENTS[:2]
    with_arrival, with_mag = draw(st.booleans()), draw(st.booleans())
    streams = {}
    for segment in segments:
        n = draw(st.integers(1, 30))
        time_s = rng.uniform(-1e3, 1e3) + np.arange(n) / 50
        streams[segment] = Stream(
            segment,
            time_s,
            rng.normal(0, 10, (n, 3)),
            rng.normal(0, 2, (n, 3)),
            time_s + rng.uniform(0, 0.1) if with_arrival else None,
            rng.normal(0, 50, (n, 3)) if with_mag else None,
        )
    return Recording("right-2", "right", "right-2.csv", streams)


@given(recordings())
def test_a_set_written_is_read_back_to_a_millionth(recording):
    back = parse(format_set(recording), "right-2")
    assert (back.name, back.side, back.source) == ("right-2", "right", "right-2.csv")
    assert (back.cut_rows, back.unknown_columns) == (0, ())
    assert set(back.streams) == set(recording.streams)
    for segment, stream in recording.streams.items():
        read = back.streams[segment]
        for field in ("time_s", "acc_ms2", "gyr_rads", "arrival_s", "mag_ut"):
            wanted = getattr(stream, field)
            if wanted is None:
                assert getattr(read, field) is None
            else:
                np.testing.assert_allclose(getattr(read, field), wanted, atol=5.1e-7)
    assert same(parse(format_set(back), "right-2"), back)


def test_rows_are_written_in_the_order_they_arrived():
    time_s, still = np.arange(4) / 50, np.zeros((4, 3))
    streams = {
        "pelvis": Stream("pelvis", time_s + 900, still, still, time_s + 5),
        "thigh": Stream("thigh", time_s, still, still, time_s + 5.01),
    }
    lines = format_set(Recording("left", "left", "left.csv", streams)).splitlines()[1:]
    arrivals = [float(line.split(",")[-1]) for line in lines]
    assert arrivals == sorted(arrivals)
    assert [line.split(",")[0] for line in lines] == ["pelvis", "thigh"] * 4


def extra_column(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([f"note,{head}", *(f'"a, ""b""",{row}' for row in rows)]) + "\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace(",", " ,\t"),
        lambda text: text.replace("thigh", '"thigh"').replace("9.4200", '"9.42"'),
        extra_column,
    ],
    ids=["crlf", "cr", "bom", "no newline", "empty end", "blanks", "quotes", "column"],
)
def test_how_the_same_numbers_are_written_does_not_matter(change):
    assert same(parse(change(TEXT)), parse(TEXT))
    assert parse(change(TEXT)).cut_rows == 0


def test_unknown_columns_are_left_alone_and_named():
    head, *rows = TEXT.splitlines()
    text = "\n".join([f"{head},temp,état", *(f"{row},nan,x y" for row in rows)]) + "\n"
    assert parse(text).unknown_columns == ("temp", "état")
    assert same(parse(text), parse(TEXT))


def test_the_order_of_the_columns_is_free():
    turned = "\n".join(",".join(reversed(line.split(","))) for line in TEXT.splitlines()) + "\n"
    assert same(parse(turned), parse(TEXT))


def test_a_missing_magnetometer_cell_is_not_a_fault():
    head, *rows = TEXT.splitlines()
    rows = [f"{row},,nan,{i}" for i, row in enumerate(rows)]
    stream = parse("\n".join([f"{head},mag_x,mag_y,mag_z", *rows]) + "\n").streams["thigh"]
    assert np.isnan(stream.mag_ut[:, :2]).all()
    assert np.isfinite(stream.mag_ut[:, 2]).all()


@given(st.integers(len(HEADER) + 3 * len(ROWS[0]), len(TEXT)))
def test_a_file_cut_anywhere_loses_its_last_line_at_most(length):
    text = TEXT[:length]
    whole = text.rpartition("\n")[0] + "\n"
    ends_whole = text.endswith("\n") or (TEXT + "\n")[length] == "\n"
    recording = parse(text)
    assert same(recording, parse(text if ends_whole else whole))
    assert recording.cut_rows == (0 if ends_whole else 1)


def test_a_short_last_number_is_whole_where_lengths_vary():
    rows = [f"{row.rpartition(',')[0]},{1 + i / 8}" for i, row in enumerate(ROWS)]
    assert rows[-4].endswith(",13.0")
    assert rows[-5].endswith(",12.875")
    recording = parse("\n".join([HEADER, *rows[:-3]]))
    assert recording.cut_rows == 0
    assert sum(len(stream.time_s) for stream in recording.streams.values()) == len(rows) - 3


def test_a_file_cut_inside_a_character_loses_that_line():
    head, *rows = TEXT.splitlines()
    text = "\n".join([f"{head},mood", *(f"{row},gut" for row in rows), f"{rows[0]},müde"])
    data = text.encode()[:-3]
    assert parse(data).cut_rows == 1


def line(number: int, text: str) -> str:
    lines = TEXT.splitlines()
    lines[number - 1] = text
    return "\n".join(lines) + "\n"


def one_sensor(segment: str) -> str:
    return "\n".join([HEADER, *(row for row in ROWS if row.startswith(segment))]) + "\n"


def cell(number: int, column: str, value: str) -> str:
    cells = TEXT.splitlines()[number - 1].split(",")
    cells[SET_COLUMNS.index(column)] = value
    return line(number, ",".join(cells))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "left.csv: the file is empty"),
        (" \r\n\n", "left.csv: the file is empty"),
        ("\ufeff", "left.csv: the file is empty"),
        (HEADER, "left.csv: a header, but no samples"),
        (HEADER + "\n", "left.csv: a header, but no samples"),
        (HEADER + "\npelvis,1.0,", "left.csv: a header, but no samples"),
        (TEXT.replace("acc_x", "accx"), "left.csv, line 1: there is no column acc_x, but 'accx'"),
        (TEXT.replace("sensor", "Sensor"), "no column sensor, but 'Sensor'. Rename it to sensor"),
        (TEXT.replace("time_s", "time"), "there is no column time_s, but 'time'"),
        (TEXT.replace("gyr_z", "omega"), "there is no column gyr_z. Columns needed: sensor,"),
        (TEXT.replace(",gyr_z", ",gyr_z,Arrival", 1), "no column arrival_s, but 'Arrival'"),
        (TEXT.replace(",gyr_z", ",gyr_z,mag_x", 1), "there is no column mag_y"),
        (TEXT.replace("gyr_z", "gyr_y"), "line 1, column 'gyr_y': the name stands twice"),
        (TEXT.replace(",", ";"), "line 1: columns are separated by semicolons"),
        (TEXT.replace(",", "\t"), "line 1: columns are separated by tabs"),
        (cell(7, "acc_y", "abc"), "left.csv, line 7, column acc_y: 'abc' is not a finite number"),
        (cell(7, "acc_y", ""), "left.csv, line 7, column acc_y: the cell is empty"),
        (cell(7, "gyr_z", "nan"), "line 7, column gyr_z: 'nan' is not a finite number"),
        (cell(7, "time_s", "-inf"), "line 7, column time_s: '-inf' is not"),
        (cell(7, "time_s", "1e999"), "line 7, column time_s: '1e999' is too large"),
        (cell(7, "acc_x", "1_0"), "line 7, column acc_x: '1_0' is not"),
        (cell(7, "acc_x", "0x1"), "line 7, column acc_x: '0x1' is not"),
        (cell(7, "acc_x", "TRUE"), "line 7, column acc_x: 'TRUE' is not"),
        (cell(7, "acc_x", "\u0661"), r"line 7, column acc_x: '\u0661' is not"),
        (cell(7, "acc_x", "1e6"), "line 7, column acc_x: 1e+06 is beyond"),
        (cell(7, "gyr_x", "-99999"), "line 7, column gyr_x: -99999 is beyond"),
        (cell(7, "sensor", "Thigh"), "line 7, column sensor: 'Thigh' is unknown. Did you mean th"),
        (cell(7, "sensor", "foot"), "line 7, column sensor: 'foot' is unknown"),
        (cell(7, "acc_x", "0,5"), "left.csv, line 7: 9 fields, the header has 8"),
        (line(7, "thigh,1,2"), "left.csv, line 7: 3 fields, the header has 8"),
        (line(7, ""), "left.csv, line 7: the line is empty"),
        (line(7, 'thigh,"1'), "left.csv, line "),
        (TEXT.replace("9.42", "9\0"), "left.csv, line 66: a zero byte"),
        (TEXT.encode("utf-16"), "left.csv: the text is UTF-16"),
        (TEXT.encode() + b"thigh,\xe9\n", "left.csv, line 102: byte 0xe9 is not UTF-8"),
        (one_sensor("pelvis"), "no samples of the thigh or shank sensor, only pelvis"),
        (one_sensor("thigh"), "no samples of the pelvis sensor, only thigh"),
        (cell(7, "time_s", "1e5"), "left.csv, line 7, column time_s: time_s steps by"),
        (cell(51, "time_s", "1.0"), "left.csv, line 51, column time_s: time_s steps by"),
    ],
)
def test_what_is_no_set_is_refused_with_its_place_in_one_line(text, message):
    with pytest.raises(RecordingError) as refusal:
        parse(text)
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("left.csv")
    assert "\n" not in str(refusal.value)


def test_a_set_of_many_hours_is_refused():
    times = [0.01 * i for i in range(20)] + [3000 * i for i in range(1, 10)]
    rows = [f"{sensor},{t},0,0,9.8,0,0,0" for t in times for sensor in SEGMENTS[:2]]
    with pytest.raises(RecordingError, match=r"runs over 7\.5 h"):
        parse("\n".join([HEADER, *rows]) + "\n")


CELLS = st.one_of(
    st.sampled_from(
        ["1", "-1.", ".5", "+.5e-3", "1E5", "1e999", "1e-999", "00012", "1.2.3", "1,5"]
    ),
    st.sampled_from(["nan", "NaN", "NA", "inf", "-Infinity", "TRUE", "false", "1_0", "0x10", "--"]),
    st.sampled_from(["1e", "e5", "-", ".", "1d5", "1f", "\u0661", "1\u00b2"]),
    st.sampled_from(["", " 1", "1 ", "\t1", "1 2", "\x0b1", "\xa01", "\x1f1", "'1'", '"1"', '1"']),
    st.floats(allow_nan=False).map(repr),
    st.text("0123456789.+-eE xna_", max_size=8),
)
COLUMNS = Columns("s", ("a", "b"), ("x", "y"), ("z",))


@settings(max_examples=500)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", " a", "c", ""]), CELLS, CELLS, CELLS),
        min_size=1,
        max_size=4,
    )
)
@example([("a", "TRUE", "1", "1"), ("a", "false", "1", "1")])
def test_the_fast_reading_is_the_exact_reading_or_none(rows):
    text = "".join(f"{','.join(row)}\n" for row in rows)
    fast = parse_fast(text.encode(), ("s", "x", "y", "z"), COLUMNS)
    if fast is None:
        return
    exact = parse_exactly(text, ("s", "x", "y", "z"), COLUMNS, "f.csv")
    np.testing.assert_array_equal(fast.labels, exact.labels)
    np.testing.assert_array_equal(fast.lines, exact.lines)
    for name, column in exact.numbers.items():
        np.testing.assert_allclose(fast.numbers[name], column, rtol=1e-14, atol=1e-300)


def test_plain_files_are_read_fast():
    body = "\n".join(ROWS) + "\n"
    columns = Columns("sensor", SEGMENTS, SET_COLUMNS[1:])
    table = parse_fast(body.encode(), SET_COLUMNS, columns)
    assert table is not None
    assert math.isclose(table.numbers["gyr_y"][5], -2e-3)


VECTORS = st.tuples(*[st.floats(-150, 150, width=32)] * 3)
SAMPLES = st.lists(st.tuples(VECTORS, VECTORS), min_size=1, max_size=20)


def batches(values: list[tuple]) -> list[Batch]:
    """One sample of each sensor in turn, every 17 ms, counted in whole microseconds."""
    return [
        Batch(segment, 5e4 + i * 0.017, (Sample(round(i * 0.017 + 4000, 6), acc, gyr),))
        for i, (acc, gyr) in enumerate(values)
        for segment in ("pelvis", "thigh")
    ]


@given(SAMPLES)
def test_recorded_rows_keep_a_sensors_numbers(values):
    text = f"{SET_HEADER}\n" + "".join(format_batch(one) for one in batches(values))
    recording = parse(text)
    for stream in recording.streams.values():
        np.testing.assert_array_equal(
            stream.time_s, [round(4000 + i * 0.017, 6) for i in range(len(values))]
        )
        assert stream.arrival_s == pytest.approx(5e4 + np.arange(len(values)) * 0.017, abs=6e-7)
        for found, exact, decimals in (
            (stream.acc_ms2, [acc for acc, _ in values], 7),
            (stream.gyr_rads, [gyr for _, gyr in values], 8),
        ):
            np.testing.assert_allclose(found, exact, rtol=0, atol=0.51 * 10**-decimals)
            large = np.abs(exact) >= (1.0 if decimals == 7 else 0.13)
            np.testing.assert_array_equal(np.float32(found)[large], np.float32(exact)[large])


@given(SAMPLES, st.integers(1, 30))
def test_a_recorded_row_broken_off_is_told_from_a_whole_one(values, missing):
    text = f"{SET_HEADER}\n" + "".join(format_batch(one) for one in batches(values + values[:1]))
    rows = [line for line in text.split("\n")[1:] if line]
    missing = min(missing, len(rows[-1]))
    recording = parse(text[: -1 - missing])
    assert recording.cut_rows == int(missing < len(rows[-1]))
    assert sum(len(one.time_s) for one in recording.streams.values()) == len(rows) - 1


NUMBERS = st.floats(-9e3, 9e3)


@given(st.lists(st.tuples(*[NUMBERS] * 6), min_size=1, max_size=20), st.booleans(), st.randoms())
def test_rows_written_exactly_are_read_back_to_the_last_bit(values, with_arrival, random):
    start_s = random.uniform(0, 1e5)
    text = (SET_HEADER if with_arrival else HEADER) + "\n"
    written = [
        Batch(segment, start_s + i / 7, (Sample(start_s + i / 9, row[:3], row[3:]),))
        for i, row in enumerate(values)
        for segment in ("pelvis", "thigh")
    ]
    text += "".join(format_batch_exactly(one, with_arrival) for one in written)
    assert "e" not in text.partition("\n")[2].replace("pelvis", "")
    for segment, stream in parse(text).streams.items():
        own = [one for one in written if one.segment == segment]
        np.testing.assert_array_equal(stream.time_s, [one.samples[0].time_s for one in own])
        np.testing.assert_array_equal(stream.acc_ms2, [one.samples[0].acc_ms2 for one in own])
        np.testing.assert_array_equal(stream.gyr_rads, [one.samples[0].gyr_rads for one in own])
        if with_arrival:
            np.testing.assert_array_equal(stream.arrival_s, [one.arrival_s for one in own])
