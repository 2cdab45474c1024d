"""hiprot explain: the reference, by topic and by code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands import failure, hiprot
from analysis.explaining import TOPICS
from imu.errors import CallError

REFERENCE = Path(__file__).parents[1] / "analysis" / "reference"


def told(*args: str) -> str:
    result = CliRunner().invoke(hiprot, ["explain", *args], catch_exceptions=False)
    return result.stdout


def refused(name: str) -> CallError:
    with pytest.raises(CallError) as caught:
        told(name)
    return caught.value


def test_every_file_is_a_topic():
    assert sorted(TOPICS) == sorted(path.stem for path in REFERENCE.glob("*.md"))


def test_topics_are_listed_in_their_order_with_what_they_hold():
    lines = [line.split(maxsplit=1) for line in told().splitlines()]
    assert [name for name, _ in lines] == list(TOPICS)
    assert all(what.endswith((".", ":")) for _, what in lines)


@pytest.mark.parametrize("topic", TOPICS)
def test_topic_prints_its_file(topic):
    assert told(topic) == (REFERENCE / f"{topic}.md").read_text(encoding="utf-8")


def test_code_prints_its_rows():
    assert "bounce (flags): raised when: the angle reverses" in told("bounce")
    assert "bounce (findings): " in told("bounce")


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("matched", "verdicts"),
        ("clean", "verdicts"),
        ("poor", "quality"),
        ("frozen", "quality"),
        ("thigh_moved", "quality"),
        ("events.csv", "formats"),
        ("arrival_s", "formats"),
        ("mdc_range_deg", "limits"),
        ("3", "codes"),
    ],
)
def test_names_are_found_where_they_are_told(name, topic):
    (line,) = (line for line in told(name).splitlines() if line.startswith(f"{name} ({topic}): "))
    assert len(line.split()) > 4


def test_json_holds_the_entries():
    document = json.loads(told("gap", "--json"))
    assert document["schema"] == "hiprot.explain/1"
    assert document["topic"] == "gap"
    assert document["entries"][0]["columns"]["flag"] == "gap"


def test_json_of_a_topic_holds_that_topic_alone():
    document = json.loads(told("limits", "--json"))
    assert {entry["topic"] for entry in document["entries"]} == {"limits"}


def test_json_without_a_topic_holds_the_whole_reference():
    document = json.loads(told("--json"))
    assert document["topic"] is None
    found = [entry["topic"] for entry in document["entries"]]
    assert list(dict.fromkeys(found)) == list(TOPICS)
    each = [json.loads(told(topic, "--json"))["entries"] for topic in TOPICS]
    assert document["entries"] == [entry for entries in each for entry in entries]


def test_unknown_name_gives_the_nearest():
    error = refused("bonce")
    assert "Did you mean bounce" in str(error)
    assert failure(error)[1] == 2


def test_unknown_name_like_none_gives_the_topics():
    error = refused("qqqqqqqq")
    assert f"Topics: {', '.join(TOPICS)}." in str(error)
    assert failure(error)[1] == 2
