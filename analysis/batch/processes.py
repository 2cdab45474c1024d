"""Sessions on worker processes of this machine, which import the libraries once.

The standard library's pool is not used: when one of its processes is killed it ends all of them
and does not say whose session that was. Here every worker has a pipe of its own, which ends with
it: its session is the failure, a new worker takes its place, and the rest goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any

from analysis.batch.records import Order
from analysis.batch.sessions import Outcome, do_session, fail, warm_up
from imu.errors import HiprotError, MachineError

NOT_BEGUN = 70  # exit status of a worker that cannot import what it needs
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def cores() -> int:
    """Count the processor cores that this program may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_processes(
    order: Order, names: Iterator[str], workers: int
) -> Iterator[tuple[str, Outcome]]:
    """Do sessions on this machine.

    Parameters
    ----------
    order : Order
        What to do.
    names : iterator of str
        The sessions; taken one by one as workers become free.
    workers : int
        How many processes.

    Yields
    ------
    tuple
        A session's name and what came of it, in the order they are done. The session of a worker
        that died is a failure.

    Raises
    ------
    MachineError
        A worker cannot start, or records cannot be written.
    """
    crew: list[_Worker] = []
    try:
        for name in names:
            if len(crew) < workers:
                crew.append(_started(order, name))
                continue
            done = _next_done(order, crew)
            crew.append(_handed(order, done.worker, name))
            yield done.name, done.outcome
        while crew:
            done = _next_done(order, crew)
            if done.worker:
                done.worker.pipe.close()  # it ends by itself
            yield done.name, done.outcome
    finally:
        for worker in crew:
            worker.process.terminate()


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Any  # a `Connection`; on Windows a `PipeConnection`
    name: str


@dataclass(frozen=True, slots=True)
class _Done:
    """A session that is done, and its worker where that is still alive."""

    worker: _Worker | None
    name: str
    outcome: Outcome


def _started(order: Order, name: str) -> _Worker:
    """Start a worker with its first session."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, order), daemon=True)
    with _one_thread_each():
        process.start()
    theirs.close()
    worker = _Worker(process, pipe, name)
    with suppress(OSError):  # it died already: told where its answer is waited for
        pipe.send(name)
    return worker


def _handed(order: Order, worker: _Worker | None, name: str) -> _Worker:
    """Give a worker its next session; where it died, a new one."""
    if worker is None:
        return _started(order, name)
    worker.name = name
    with suppress(OSError):
        worker.pipe.send(name)
    return worker


def _next_done(order: Order, crew: list[_Worker]) -> _Done:
    """Wait for the next session that is done; its worker leaves the crew."""
    ready = wait([worker.pipe for worker in crew])
    worker = next(one for one in crew if one.pipe is ready[0])
    crew.remove(worker)
    try:
        answer = worker.pipe.recv()
    except (EOFError, OSError):
        return _Done(None, worker.name, _lost(order, worker))
    if isinstance(answer, HiprotError):
        crew.append(worker)  # to be ended with the others
        raise answer
    return _Done(worker, worker.name, Outcome(*answer))


def _lost(order: Order, worker: _Worker) -> Outcome:
    """Tell of a session whose worker died.

    Raises
    ------
    MachineError
        It had not even begun.
    """
    worker.pipe.close()
    worker.process.join()
    code = worker.process.exitcode or 0
    how = f"ended by {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
    if code == NOT_BEGUN:
        raise MachineError("a worker process could not start. Install hiprot again.")
    remedy = "Look whether the memory suffices, or analyse it alone by hiprot report."
    return fail(order, worker.name, Outcome(1, f"the process that analysed it was {how}. {remedy}"))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _work(pipe: Any, order: Order) -> None:
    """Be a worker: do sessions until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        warm_up()
    except Exception:
        sys.exit(NOT_BEGUN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            name = pipe.recv()
            try:
                answer: object = tuple(do_session(order, name))
            except HiprotError as error:
                answer = error
            pipe.send(answer)


def _end_with_parent() -> None:
    """End at once when the parent is killed: the next call may be working on the same session."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Have a new process use one thread for linear algebra, and leave Ctrl-C to us.

    The cores belong to its siblings; and it would print a traceback if interrupted in an import.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        with _no_interrupts():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_interrupts() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
