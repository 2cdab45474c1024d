"""Pages, calls and the socket."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from analysis.app.guard import Guard
from analysis.app.hub import Hub, Viewer
from analysis.app.library import Library
from analysis.app.messages import number, read_message, text_of
from analysis.app.sessions import put_session_right, session_state
from analysis.explaining import TOPICS
from imu.errors import CallError, HiprotError

MAX_MESSAGE = 64 * 2**10
NOT_FOUND, WRONG, FAILED = 404, 400, 500


class Doer(Protocol):
    """Does what pages ask for."""

    async def do(self, message: Mapping[str, Any]) -> None:
        """Do it, or refuse it by a `CallError`."""
        ...

    async def close(self) -> None:
        """End for good."""
        ...


class Server:
    """The live page's server.

    Parameters
    ----------
    library : Library or None
        Where sessions are; None where the coach alone is shown.
    hub : Hub
        What viewers are told.
    guide : Doer
        Does what pages ask for.
    about : Mapping of str to object
        What ``/api/state`` says.
    """

    def __init__(
        self, library: Library | None, hub: Hub, guide: Doer, about: Mapping[str, Any]
    ) -> None:
        self._known = library
        self._hub = hub
        self._guide = guide
        self._about = about

    def application(self, token: str, host: str, port: int) -> ASGIApp:
        """Make the guarded application."""
        routes: list[BaseRoute] = [
            Route("/", self._page),
            Route("/api/state", self._state),
            Route("/help", self._help),
            Route("/help/{topic}", self._help),
            WebSocketRoute("/live", self._live),
            Mount("/static", StaticFiles(packages=[("analysis.app", "static")])),
            *([] if self._known is None else self._library_routes()),
        ]
        inner = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=REFUSALS)
        return Guard(inner, token, host, port)

    @property
    def _library(self) -> Library:
        assert self._known is not None  # its routes are only there with it
        return self._known

    def _library_routes(self) -> list[BaseRoute]:
        session = "/api/people/{person}/sessions/{session}"
        return [
            Route("/api/people", self._people, methods=["GET", "POST"]),
            Route("/api/people/{person}", self._person),
            Route("/api/people/{person}/sessions", self._add_session, methods=["POST"]),
            Route(session, self._session),
            Route(f"{session}/correct", self._correct, methods=["POST"]),
            Route("/report/{person}/{session}/report.html", self._report),
            Route("/trend/{person}/trend.html", self._trend),
        ]

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Let what is recorded end whole when the server ends."""
        del app
        yield
        await self._guide.close()

    async def _page(self, request: Request) -> Response:
        del request
        page = files("analysis.app").joinpath("static/index.html").read_text(encoding="utf-8")
        return HTMLResponse(page)

    async def _state(self, request: Request) -> Response:
        del request
        return JSONResponse(dict(self._about))

    async def _people(self, request: Request) -> Response:
        if request.method == "POST":
            body = await _json(request)
            name = await run_in_threadpool(self._library.add_person, text_of(body, "name"))
            return JSONResponse({"name": name}, 201)
        return JSONResponse(await run_in_threadpool(self._library.people))

    async def _person(self, request: Request) -> Response:
        name = request.path_params["person"]
        return JSONResponse(await run_in_threadpool(self._library.person, name))

    async def _add_session(self, request: Request) -> Response:
        body = await _json(request)
        context = text_of(body, "context", "") or None
        person = request.path_params["person"]
        name = await run_in_threadpool(self._library.add_session, person, context)
        return JSONResponse({"session": name}, 201)

    async def _session(self, request: Request) -> Response:
        return JSONResponse(
            await run_in_threadpool(session_state, self._library, **request.path_params)
        )

    async def _correct(self, request: Request) -> Response:
        body = await _json(request)
        rep = number(body, "exclude", 1, 10_000)
        await run_in_threadpool(
            put_session_right,
            self._library,
            body,
            None if rep is None else int(rep),
            **request.path_params,
        )
        return await self._session(request)

    async def _report(self, request: Request) -> Response:
        folder = self._library.session_folder(**request.path_params)
        return HTMLResponse(await run_in_threadpool(self._library.report, folder))

    async def _trend(self, request: Request) -> Response:
        person = request.path_params["person"]
        return HTMLResponse(await run_in_threadpool(self._library.trend, person))

    async def _help(self, request: Request) -> Response:
        topic = request.path_params.get("topic")
        if topic is None:
            items = "".join(f'<li><a href="/help/{one}">{one}</a></li>' for one in TOPICS)
            return HTMLResponse(_help_page("Help", f"<ul>{items}</ul>"))
        if topic not in TOPICS:
            raise CallError(f"there is no help on {topic[:40]!r}.")
        text = files("analysis").joinpath(f"reference/{topic}.md").read_text(encoding="utf-8")
        return HTMLResponse(_help_page(topic, f"<pre>{html.escape(text)}</pre>"))

    # --- the socket

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        viewer = self._hub.join()
        pumping = asyncio.create_task(viewer.pump(socket.send_text))
        try:
            while True:
                await self._hear(viewer, await _text(socket))
        except (WebSocketDisconnect, RuntimeError):
            pass  # it is gone
        finally:
            self._hub.leave(viewer)
            pumping.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await pumping

    async def _hear(self, viewer: Viewer, text: str) -> None:
        """Do what a message asks for; what cannot be done is answered."""
        try:
            message = read_message(text)
            if message["type"] == "ack":
                viewer.acknowledge(number(message, "seq", 0, 1e15, 0.0) or 0.0)
            else:
                await self._guide.do(message)
        except HiprotError as error:
            viewer.offer({"type": "error", "text": str(error)})


async def _text(socket: WebSocket) -> str:
    """Receive one message; bytes are none that we know."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    return message.get("text") or ""


async def _json(request: Request) -> Mapping[str, Any]:
    """Read a call's body.

    Raises
    ------
    CallError
        It is no JSON object.
    """
    try:
        body = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise CallError("the call's body is no JSON object.")
    return body


async def _refused(request: Request, error: Exception) -> Response:
    """Answer an error in one sentence."""
    missing = isinstance(error, CallError) and str(error).startswith("there is no")
    wrong = NOT_FOUND if missing else WRONG if isinstance(error, CallError) else FAILED
    if not request.url.path.startswith("/api/"):
        return HTMLResponse(_help_page("hiprot", f"<p>{html.escape(str(error))}</p>"), wrong)
    return JSONResponse({"error": str(error)}, wrong)


REFUSALS: Any = {HiprotError: _refused}


def _help_page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title>"
        '<link rel="stylesheet" href="/static/style.css">'
        f'<body class="help"><main><h1>{html.escape(title)}</h1>{body}</main></body></html>'
    )
