"""The session guided in the browser: a small server on this machine, and its page.

Whoever records never waits for whoever watches: a set is recorded by `imu.collector`, which hands
every batch on to `following`; that only puts the newest state down in `hub`. Every viewer takes
it from there at its own pace, and is sent nothing new while two messages are not drawn yet.

``guard``
    Who may ask: token, host, origin, sizes; and what a page may load.
``messages``
    What a page may send over the socket.
``hub``
    The newest state, and the viewers that take it.
``library``
    The folder on disk, which is the database: people, their sessions, reports.
``checks``
    How the person sits before a set.
``following``
    One set followed while it is recorded, and what became of it.
``sessions``
    One session as its page shows it, and what is put right in it.
``telling``
    What the recorder says, as messages.
``coaching``
    One set shown beside a recording or a replay that goes its own way.
``guide``
    The session's course: sensors, lean, sets, one at a time.
``server``
    Pages, calls and the socket.
``static``
    The page: plain modules, no build step.
"""
