"""Sessions on a Dask cluster: the one module that knows Dask.

Only so many sessions are handed to the scheduler that its workers never wait, and of each it holds
an exit status and a line; tables and pages go from the worker to the disk that all share. A session
that kills its workers is given up by the scheduler after as many deaths as its setting
``distributed.scheduler.allowed-failures`` says, with the cluster intact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from analysis.batch.records import Order
from analysis.batch.sessions import Outcome, do_session, fail, told
from imu.errors import CallError, HiprotError, MachineError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 30
AHEAD = 3  # sessions a thread of the cluster, done or waiting
DEADLY = (
    "the workers that analysed it died, each time. Look whether their memory suffices, or analyse "
    "it alone by hiprot report."
)
LEAST_AHEAD = 8  # workers may still be coming


def run_cluster(order: Order, names: Iterator[str], address: str) -> Iterator[tuple[str, Outcome]]:
    """Do sessions on a cluster.

    Parameters
    ----------
    order : Order
        What to do; its paths must mean the same on all workers.
    names : iterator of str
        The sessions.
    address : str
        Of the scheduler: ``tcp://host:8786``.

    Yields
    ------
    tuple
        A session's name and what came of it, in the order they are done.

    Raises
    ------
    CallError
        Dask is not installed.
    MachineError
        The scheduler cannot be reached or was lost, or records cannot be written.
    """
    try:
        from distributed import as_completed
    except ImportError:
        remedy = "Install it by: pip install 'hip-rotation[cluster]'."
        raise CallError(f"--cluster needs the package distributed. {remedy}") from None
    with _connected(address) as client:
        done = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        yield from _Crew(order, client, done).run(names)


class _Crew:
    """The cluster at work on one batch.

    Parameters
    ----------
    order : Order
        What to do.
    client : distributed.Client
        Speaks to the scheduler.
    done : distributed.as_completed
        Gives what is done.
    """

    def __init__(self, order: Order, client: Any, done: Any) -> None:
        self._order, self._client, self._done = order, client, done
        self._batch = uuid4().hex[:8]  # other batches may be on the cluster
        self._waiting: dict[str, str] = {}

    def run(self, names: Iterator[str]) -> Iterator[tuple[str, Outcome]]:
        """Do sessions; those whose workers died once more at the end, each alone.

        A worker takes all sessions with it that were waiting for it: only alone can it be told
        which of them it died of.
        """
        suspects: list[str] = []
        fewest = self._hand_on(names)
        for future, result in self._done:
            name, outcome = self._finished(future, result)
            if len(self._waiting) <= fewest:  # workers come and go: asked for now and then
                fewest = self._hand_on(names)
            if outcome is None:
                suspects.append(name)
            else:
                yield name, outcome
        for name in suspects:
            self._submit([name], "alone")
            _, outcome = self._finished(*next(self._done))
            yield name, outcome or fail(self._order, name, Outcome(1, DEADLY))

    def _hand_on(self, names: Iterator[str]) -> int:
        """Fill up what waits for the workers; return at how few to do so again."""
        threads: int = sum(self._client.nthreads().values())
        ahead = max(LEAST_AHEAD, AHEAD * threads)
        self._submit(islice(names, ahead - len(self._waiting)), "first")
        return ahead - ahead // AHEAD

    def _submit(self, names: Iterable[str], turn: str) -> None:
        futures = []
        for name in names:
            key = f"hiprot-{self._batch}-{turn}-{name.encode('utf-8', 'surrogateescape').hex()}"
            self._waiting[key] = name
            future = self._client.submit(do_session, self._order, name, key=key, pure=False)
            futures.append(future)
        self._done.update(futures)

    def _finished(self, future: Any, result: Any) -> tuple[str, Outcome | None]:
        """Take in what came of a session; None where its workers died.

        Raises
        ------
        HiprotError
            Records cannot be written, or the cluster was lost.
        """
        name, status = self._waiting.pop(future.key), future.status
        future.release()
        if status == "finished":
            return name, Outcome(*result)
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, HiprotError):
            raise error
        if type(error).__name__ == "KilledWorker":
            return name, None
        if status != "error" or not isinstance(error, Exception):
            raise MachineError("the cluster was lost. Call again: what is done is kept.")
        return name, fail(self._order, name, told(error))


def _connected(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise MachineError(
            f"--cluster {address}: no scheduler answers there ({reason}). Start dask scheduler."
        ) from None
