"""A real scheduler with two worker processes, one of which is killed; every session once."""

import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.batch.cluster import run_cluster
from analysis.batch.places import open_place
from imu.errors import MachineError
from tests.analysis.batch.study import collated, do_all

pytest.importorskip("distributed", reason="the extra `cluster`")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of a library's ports, sockets and event loops
    pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal"),
]


def names(order):
    return open_place(order.root, order.out).names()


def kill_a_worker(cluster, order):
    """Kill a worker in the middle: once the first session is done."""
    while not list((order.out / "records").glob("*/*.json")):
        time.sleep(0.01)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_every_session_is_done_once_though_a_worker_is_killed(order, tmp_path, quick):  # noqa: ARG001
    from distributed import LocalCluster

    for i in range(3):
        shutil.copytree(Path(order.root) / "P01" / "S2", Path(order.root) / f"P1{i:02}" / "S1")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        killer = threading.Thread(target=kill_a_worker, args=(cluster, order))
        killer.start()
        outcomes = list(run_cluster(order, names(order), cluster.scheduler_address))
        killer.join()
    assert sorted(name for name, _ in outcomes) == list(names(order))
    assert [name for name, one in outcomes if one.exit] == ["P02/S1"]
    alone = replace(order, out=tmp_path / "alone")
    do_all(alone)
    assert collated(order) == collated(alone)


def test_a_session_that_kills_its_worker_is_a_failure_and_the_rest_goes_on(order, monkeypatch):
    import dask
    from distributed import LocalCluster

    from analysis.batch import cluster as module

    monkeypatch.setattr(module, "do_session", deadly)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # at once, not after 4
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        outcomes = dict(run_cluster(order, names(order), cluster.scheduler_address))
    assert "died" in outcomes["P01/S2"].message
    assert {name: one.exit for name, one in outcomes.items()} == {
        "P01/S1": 0, "P01/S2": 1, "P02/S1": 0,
    }  # fmt: skip


def deadly(_, name):
    """Do nothing, but with one session end the process."""
    from analysis.batch.sessions import Outcome

    if name == "P01/S2":
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(0)


def test_sessions_in_memory_are_done_by_threads(order, tmp_path):
    from distributed import LocalCluster

    fsspec = pytest.importorskip("fsspec", reason="the extra `cluster`")
    fsspec.filesystem("memory").put(order.root, f"/{tmp_path.name}", recursive=True)
    there = replace(order, root=f"memory://{tmp_path.name}", out=tmp_path / "there")
    with LocalCluster(
        n_workers=1, processes=False, threads_per_worker=2, dashboard_address=None
    ) as cluster:
        outcomes = dict(run_cluster(there, names(there), cluster.scheduler_address))
    assert outcomes == do_all(order)
    expected = collated(order)
    found = collated(there)
    for name in ("repetitions.csv", "sessions.csv", "failures.csv"):
        assert found[name] == expected[name]


def test_no_scheduler_is_told_in_one_line(order, monkeypatch):
    monkeypatch.setattr("analysis.batch.cluster.CONNECT_S", 0.3)
    with pytest.raises(MachineError, match="no scheduler answers"):
        list(run_cluster(order, iter(["P01/S1"]), "tcp://127.0.0.1:9"))
    assert multiprocessing.active_children() == []
