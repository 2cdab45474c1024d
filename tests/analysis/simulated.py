"""Simulated sets, each made once."""

from __future__ import annotations

from functools import cache

from tests.conditions import simulate

simulated = cache(simulate)
