"""Errors cross from one process to another as they are."""

import importlib
import inspect
import pickle
import pkgutil
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import analysis
import imu
from analysis.errors import AnalysisError
from imu.errors import FrameError, HiprotError, RecordingError

SAMPLES = {"int": 3, "bytes": b"\x01\x02", "float": 1.5}


def error_classes() -> list[type[HiprotError]]:
    """Every class of the error tree, wherever in the two packages it is defined."""
    for package in (imu, analysis):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    classes, waiting = [], [HiprotError]
    while waiting:
        one = waiting.pop()
        classes.append(one)
        waiting += one.__subclasses__()
    return [one for one in classes if one.__module__.split(".")[0] in ("imu", "analysis")]


def make(kind: type[HiprotError]) -> HiprotError:
    if kind.__init__ is Exception.__init__:
        return kind("where: what. Remedy.")
    parameters = list(inspect.signature(kind).parameters.values())
    return kind(*(SAMPLES.get(str(one.annotation), f"a {one.name}") for one in parameters))


def fail() -> None:
    raise RecordingError("left.csv", "no samples", "Record again.")


def test_the_tree_is_found_whole():
    assert {AnalysisError, FrameError, RecordingError} <= set(error_classes())


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_an_error_comes_out_of_pickling_as_it_went_in(kind):
    error = make(kind)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert again.exit_status == error.exit_status


def test_a_worker_process_hands_its_error_over_and_lives_on():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(RecordingError, match="no samples") as caught:
            pool.submit(fail).result()
        assert caught.value.where == "left.csv"
        assert "in fail" in "".join(traceback.format_exception(caught.value))
        assert pool.submit(len, "alive").result() == 5
