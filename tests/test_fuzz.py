"""Damaged sessions through the whole command: an answer, or one line and nothing written.

`HYPOTHESIS_PROFILE=thorough` tries some thousands, at random, instead of the same hundred.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from analysis.commands import main
from imu.formats.eventfile import format_events
from imu.formats.sessionfile import format_info
from imu.formats.setfile import format_set
from imu.recording import Event, Recording, SensorInfo, SessionInfo
from imu.simulator import simulate_set
from imu.simulator.presets import PRESETS

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
TRIES = settings(
    max_examples=3000 if THOROUGH else 60,
    derandomize=not THOROUGH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
OUTPUTS = {"report.html", "report.json", "reps.csv", "angles.csv"}


class Files(dict[str, bytes]):
    """A session's files by name; shown short, since Hypothesis shows what fails."""

    def __repr__(self) -> str:
        return str({name: f"{len(data)} bytes" for name, data in self.items()})


def short_set(preset: str, side: str, rate_hz: float) -> Recording:
    """Two quick repetitions, some seconds."""
    drill = replace(
        PRESETS[preset].drill,
        reps=2,
        still_before_s=2.2,
        still_after_s=0.6,
        inward_s=1.0,
        hold_s=0.5,
        return_s=1.0,
        pause_s=0.5,
    )
    sensors = replace(PRESETS[preset].sensors, rate_hz=rate_hz, magnetometer=side == "left")
    return simulate_set(drill, sensors, side, 1)[0]


def sessions() -> tuple[Files, ...]:
    """A session of two clocks with everything in it, and one of one clock with sets alone."""
    info = SessionInfo("P01", "2026-11-22T09:30:00+01:00", 2, {"thigh": SensorInfo("IMU")}, "ok")
    events = (Event("left", 4.0, "pain", 3.0, "front"), Event("right", 2.0, "note", None, "ü"))
    radio = [short_set("two_clocks_loss", side, 30) for side in ("left", "right")]
    plain = [short_set("consumer60", side, 25) for side in ("left", "right")]
    full = {
        "left.csv": format_set(radio[0]).encode(),
        "right-2.csv.gz": gzip.compress(format_set(radio[1]).encode(), mtime=0),
        "session.json": format_info(info).encode(),
        "events.csv": format_events(
            [replace(one, set_name=one.set_name.replace("right", "right-2")) for one in events]
        ).encode(),
    }
    return Files(full), Files({f"{one.name}.csv": format_set(one).encode() for one in plain})


SESSIONS = sessions()


# --- damage, each a change of one file's lines, cells or bytes ---------------------------------

CELLS = st.one_of(
    st.sampled_from(["", "nan", "inf", "-inf", "1e999", "0", "-0.0", "1e5", "-1e9", "1_0", "0x1"]),
    st.sampled_from(
        ["abc", "TRUE", '"', "'", "1,2", "pelvis", "thigh", "shank", "\t", "٣", "\x00"]
    ),
    st.floats().map(repr),
    st.text(max_size=5),
)
FACTORS = st.sampled_from([0.0, -1.0, 1e-3, 1e3, 57.29578, 1 / 9.80665, 1e-300, 1e300, 0.5, 2.0])
PLACES = st.floats(0, 1, exclude_max=True)


def at(share: float, count: int) -> int:
    return min(int(share * count), max(count - 1, 0))


def on_lines(change: Callable[[list[str]], list[str]]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        lines = change(text.split("\n"))
        return "\n".join(lines).encode("utf-8", "surrogateescape")

    return changed


def on_column(place: float, change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    def changed(lines: list[str]) -> list[str]:
        column = at(place, lines[0].count(",") + 1)
        rows = [line.split(",") for line in lines]
        for row in rows[1:]:
            if column < len(row):
                row[column] = change(row[column])
        return [",".join(row) for row in rows]

    return on_lines(changed)


def scaled(factor: float) -> Callable[[str], str]:
    def change(cell: str) -> str:
        try:
            return repr(float(cell) * factor)
        except ValueError:
            return cell

    return change


def put_cell(row: float, column: float, cell: str) -> Callable[[bytes], bytes]:
    def changed(lines: list[str]) -> list[str]:
        cells = lines[at(row, len(lines))].split(",")
        cells[at(column, len(cells))] = cell
        lines[at(row, len(lines))] = ",".join(cells)
        return lines

    return on_lines(changed)


def shift_time(row: float, by_s: float) -> Callable[[bytes], bytes]:
    """The clock jumps, from some line on."""

    def changed(lines: list[str]) -> list[str]:
        for number in range(max(1, at(row, len(lines))), len(lines)):
            cells = lines[number].split(",")
            if len(cells) > 1:
                with contextlib.suppress(ValueError):
                    cells[1] = repr(float(cells[1]) + by_s)
            lines[number] = ",".join(cells)
        return lines

    return on_lines(changed)


def move_lines(first: float, last: float, to: float, keep: bool) -> Callable[[bytes], bytes]:
    def changed(lines: list[str]) -> list[str]:
        begin, end = sorted((at(first, len(lines)), at(last, len(lines))))
        block = lines[begin:end]
        rest = lines if keep else lines[:begin] + lines[end:]
        place = at(to, len(rest))
        return rest[:place] + block + rest[place:]

    return on_lines(changed)


def on_numbers(
    first: float, last: float, column: float, change: Callable[[float], float]
) -> Callable[[bytes], bytes]:
    """Change one column's numbers between two lines."""

    def changed(lines: list[str]) -> list[str]:
        begin, end = sorted((at(first, len(lines)), at(last, len(lines))))
        for number in range(max(begin, 1), end):
            cells = lines[number].split(",")
            place = at(column, len(cells))
            with contextlib.suppress(ValueError):
                cells[place] = repr(change(float(cells[place])))
            lines[number] = ",".join(cells)
        return lines

    return on_lines(changed)


def drop_lines(first: float, last: float) -> Callable[[bytes], bytes]:
    def changed(lines: list[str]) -> list[str]:
        begin, end = sorted((at(first, len(lines)), at(last, len(lines))))
        return lines[:begin] + lines[end:]

    return on_lines(changed)


def drop_rows_of(word: str) -> Callable[[bytes], bytes]:
    return on_lines(lambda lines: [line for line in lines if not line.startswith(word)])


def drop_column(place: float) -> Callable[[bytes], bytes]:
    def changed(lines: list[str]) -> list[str]:
        rows = [line.split(",") for line in lines]
        column = at(place, len(rows[0]))
        return [",".join(row[:column] + row[column + 1 :]) for row in rows]

    return on_lines(changed)


def every(step: int) -> Callable[[bytes], bytes]:
    return on_lines(lambda lines: [lines[0], *lines[1::step], ""])


def put_bytes(place: float, put: bytes, over: int) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        begin = at(place, len(data))
        return data[:begin] + put + data[begin + over :]

    return changed


def cut(place: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: at(place, len(data))]


def encoded(name: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode("utf-8", "replace").encode(name, "replace")


def ended(by: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(b"\n", by)


def put_key(path: tuple[str, ...], value: object) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        try:
            document = json.loads(data)
            inner = document
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = value
        except (ValueError, AttributeError, TypeError, RecursionError):
            return data
        return json.dumps(document).encode()

    return changed


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        ("schema",),
        ("subject",),
        ("started",),
        ("planned_reps",),
        ("notes",),
        ("sensors",),
        ("sensors", "thigh"),
        ("sensors", "pelvis", "rate_hz"),
        ("sensors", "thigh", "model"),
    ]
)
CHANGES = st.one_of(
    st.floats(-1000, 1000).map(lambda value: lambda _: value),
    st.floats(-20, 20).map(lambda value: lambda number: number + value),
    st.floats(-3, 3).map(lambda value: lambda number: number * value),
    st.floats(0, 12).map(lambda limit: lambda number: max(-limit, min(limit, number))),
    st.floats(0.1, 5).map(lambda step: lambda number: round(number / step) * step),
)
NUMERIC = st.builds(on_numbers, PLACES, PLACES, PLACES, CHANGES)
DAMAGE = st.one_of(
    NUMERIC,
    st.builds(put_cell, PLACES, PLACES, CELLS),
    st.builds(put_cell, st.just(0.0), PLACES, CELLS),
    st.builds(on_column, PLACES, FACTORS.map(scaled)),
    st.builds(on_column, PLACES, CELLS.map(lambda cell: lambda _: cell)),
    st.builds(shift_time, PLACES, st.sampled_from([-1e9, -100.0, -3.0, -0.02, 0.7, 3.0, 5e3, 1e9])),
    st.builds(move_lines, PLACES, PLACES, PLACES, st.booleans()),
    st.builds(drop_lines, PLACES, PLACES),
    st.builds(drop_rows_of, st.sampled_from(["pelvis", "thigh", "sensor", "left"])),
    st.builds(drop_column, PLACES),
    st.builds(every, st.integers(2, 5)),
    st.builds(put_bytes, PLACES, st.binary(max_size=3), st.integers(0, 3)),
    st.builds(cut, PLACES),
    st.builds(encoded, st.sampled_from(["utf-16", "latin-1", "utf-8-sig", "utf-32", "ascii"])),
    st.builds(ended, st.sampled_from([b"\r\n", b"\r", b"\n\n", b"", b" \n", b";"])),
    st.builds(put_key, KEYS, JSON),
    st.binary(max_size=40).map(lambda data: lambda _: data),
)
SET_NAMES = ["left.csv", "left.csv.gz", "left-2.csv", "right-2.csv", "Left.csv", "left2.csv"]
OTHER_NAMES = ["calibration.csv", "session.json", "events.csv", "events.csv.gz", "Events.csv", "x"]
NAMES = st.sampled_from([*SET_NAMES, *OTHER_NAMES])


@st.composite
def damaged(draw: st.DrawFn) -> Files:
    """A session with one to three of its files, or one file several times, damaged."""
    files = Files(draw(st.sampled_from(SESSIONS)))
    for _ in range(draw(st.integers(1, 3))):
        if not files:
            break
        name = draw(st.sampled_from(sorted(files)))
        kind = draw(st.integers(0, 19))
        if kind == 0:
            files[draw(NAMES)] = files.pop(name)
        elif kind == 1:
            files[draw(NAMES)] = files[name]
        elif kind == 2:
            del files[name]
        elif name.endswith(".gz") and kind > 5:
            with contextlib.suppress(OSError, EOFError, zlib.error):
                inside = gzip.decompress(files[name])
                files[name] = gzip.compress(draw(NUMERIC if kind > 13 else DAMAGE)(inside), mtime=0)
        else:
            files[name] = draw(NUMERIC if kind > 13 else DAMAGE)(files[name])
    return files


# --- the command -------------------------------------------------------------------------------


@contextlib.contextmanager
def laid_out(files: Files) -> Iterator[Path]:
    """The files in a folder of their own, which must be the same afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hiprot-fuzz-"))
    session = folder / "visit"
    session.mkdir()
    for name, data in files.items():
        (session / name).write_bytes(data)
    try:
        yield session
        assert {path.name: path.read_bytes() for path in session.iterdir()} == files
    finally:
        if sys.exc_info()[0] is not None and THOROUGH:
            note(f"The session is kept in {session}")
        else:
            shutil.rmtree(folder)


def run(*arguments: object) -> tuple[int, str, str]:
    """Call `hiprot` in this process; a defect comes through as the error it is."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["hiprot", *map(str, arguments)]),
        mock.patch.dict(os.environ, {"HIPROT_DEBUG": "1", "COLUMNS": "100"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    told = err.getvalue().splitlines(keepends=True)
    messages = [line for line in told if not line.endswith("…\n")]  # without the progress
    return int(ended.value.code or 0), out.getvalue(), "".join(messages)


def refused_in_one_line(status: int, out: str, err: str) -> None:
    assert status in (2, 3), (status, err)
    assert out == ""
    assert err.startswith("hiprot: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} in a JSON document")


@TRIES
@given(damaged())
def test_a_damaged_session_gives_a_whole_report_or_one_line_and_nothing(files: Files) -> None:
    with laid_out(files) as session:
        folder = session.parent / "out"
        status, out, err = run("report", session, "-o", folder)
        checked = run("check", session, "--json")
        assert checked[0] == status
        if status:
            refused_in_one_line(status, out, err)
            assert checked[1:] == (out, err)
            assert not folder.exists()
            return
        assert err == checked[2] == ""
        assert {path.name for path in folder.iterdir()} == OUTPUTS
        report = json.loads((folder / "report.json").read_text(), parse_constant=no_constant)
        check = json.loads(checked[1], parse_constant=no_constant)
        assert {one["side"] for one in check["sets"].values()} == set(report["sides"])


@pytest.mark.parametrize("session", SESSIONS, ids=["two clocks", "one clock"])
def test_the_undamaged_sessions_are_analysed(session: Files) -> None:
    with laid_out(session) as folder:
        status, out, err = run("check", folder, "--json")
    assert (status, err) == (0, "")
    assert {one["grade"] for one in json.loads(out)["sets"].values()} == {"fair"}  # 25 to 30 Hz
