"""Sessions on a Dask cluster: the one module that knows Dask.

Only so many sessions are handed to the scheduler that its workers never wait, and of each it holds
an exit status and a line; tables and pages go from the worker to the disk that all share. A session
that kills its workers is given up by the scheduler after as many deaths as its setting
``distributed.scheduler.allowed-failures`` says, with the cluster intact.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from analysis.batch.records import Order
from analysis.batch.sessions import Outcome, do_session, fail, told
from imu.errors import CallError, HiprotError, MachineError

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 30
AHEAD = 3  # sessions a thread of the cluster, done or waiting
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
    batch = uuid4().hex[:8]
    with _connected(address) as client:
        waiting: dict[str, str] = {}
        fewest = LEAST_AHEAD

        def submit(name: str) -> Future:
            key = f"hiprot-{batch}-{name.encode('utf-8', 'surrogateescape').hex()}"
            waiting[key] = name
            # `retries` repeats what raised; nothing here does but a disk that failed.
            return client.submit(do_session, order, name, key=key, pure=False)

        done = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        done.update([submit(name) for name in islice(names, _ahead(client))])
        for future, result in done:
            name = waiting.pop(future.key)
            outcome = _outcome(order, name, future.status, result)
            future.release()
            if len(waiting) <= fewest:  # asked for now and then: workers come and go
                ahead = _ahead(client)
                fewest = ahead - ahead // AHEAD
                done.update([submit(one) for one in islice(names, ahead - len(waiting))])
            yield name, outcome


def _connected(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise MachineError(
            f"--cluster {address}: no scheduler answers there ({reason}). Start dask scheduler."
        ) from None


def _ahead(client: Client) -> int:
    threads: int = sum(client.nthreads().values())
    return max(LEAST_AHEAD, AHEAD * threads)


def _outcome(order: Order, name: str, status: str, result: Any) -> Outcome:
    """Read a session's outcome; one whose workers died, or that raised, is a failure."""
    if status == "finished":
        return Outcome(*result)
    error = result[1] if isinstance(result, tuple) else result
    if isinstance(error, HiprotError):
        raise error
    if type(error).__name__ == "KilledWorker":
        remedy = "Look whether their memory suffices, or analyse it alone by hiprot report."
        return fail(order, name, Outcome(1, f"the workers that analysed it died. {remedy}"))
    if not isinstance(error, Exception):
        raise MachineError("the cluster was lost. Call again: what is done is kept.")
    return fail(order, name, told(error))
