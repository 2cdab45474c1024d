"""hiprot explain: the reference, by topic and by code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from analysis.commands import hiprot
from imu.errors import CallError


def told(*args: str) -> str:
    result = CliRunner().invoke(hiprot, ["explain", *args], catch_exceptions=False)
    return result.stdout


def test_topics_are_listed():
    assert {"flags", "limits"} <= {line.split()[0] for line in told().splitlines()}


def test_topic_prints_its_file():
    assert told("flags").startswith("# Flags")


def test_code_prints_its_rows():
    assert "bounce (flags): raised when: the angle reverses" in told("bounce")
    assert "bounce (findings): " in told("bounce")


def test_json_holds_the_entries():
    document = json.loads(told("gap", "--json"))
    assert document["schema"] == "hiprot.explain/1"
    assert document["entries"][0]["columns"]["flag"] == "gap"


def test_unknown_topic_names_the_nearest():
    with pytest.raises(CallError, match="bounce"):
        told("bonce")
