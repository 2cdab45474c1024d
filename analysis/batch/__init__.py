"""Many sessions: each analysed once, then tables and a page of all of them.

The order of the modules, each importing only from those above it:

``places``
    Where sessions lie: a folder, or any address that fsspec knows; the names of all of them.
``records``
    What has been done with a session, one small file each: what makes a batch resume.
``sessions``
    One session -> its report's files and its record, whatever is wrong with it.
``processes``, ``cluster``
    Sessions on worker processes of this machine; on a Dask cluster.
``cohort``
    Records -> counts, distributions, what failed: values that do not grow with the sessions.
``page``
    The cohort -> ``batch.html``.
``tables``
    Records and reports -> ``repetitions.csv``, ``sessions.csv``, ``failures.csv``, ``batch.json``.
``parquet``
    The two large ones once more, with types.

A batch has two steps. The first makes a report and a record for every session, in any order, on
any number of machines, and can be killed and called again. The second, collating, reads the records
in the order of the names and writes the tables; so the tables do not depend on who did what, and
there is one way to make them. Nothing of either step holds more than one session in memory.
"""
