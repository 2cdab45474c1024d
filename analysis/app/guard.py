"""Who may ask the server, for what, and what its pages may load.

Everything runs on this machine, where every other program and every page in the browser can knock
at the port. So all but nothing is answered without the token; cookies go to every port of a host,
so the cookie's name carries the port; and as pages of other ports count as the same site, whatever
changes something must come from this very origin.
"""

from __future__ import annotations

import hmac
import ipaddress
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 2**10
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The report has matplotlib's inline styles, and no script.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox allow-modals"
)
REPORT_PATHS = ("/report/", "/trend/")
FORBIDDEN_SOCKET = 1008


class Guard:
    """Lets in only who knows the token, by the right name, and from the right page.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    token : str
        What everybody must know.
    host, port : str, int
        Where the server listens.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self._app = app
        self._token = token
        self._host = host
        self._port = port
        self.cookie = f"hiprot-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": FORBIDDEN_SOCKET})
            return
        send = self._with_headers(scope, send)
        answer = refused or self._welcome(scope)
        if answer is not None:
            await answer(scope, receive, send)
            return
        body = await _body(scope, receive)
        if body is None:
            await PlainTextResponse("This is too long.", 413)(scope, receive, send)
            return
        await self._app(scope, body, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Say why a request is refused; None where it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This server has another name.", 421)
        if not self._knows(scope, headers):
            return PlainTextResponse("The address is not complete: its token is missing.", 403)
        writes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if writes and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("This comes from another page.", 403)
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a host's name with its port is this server's: a foreign name is a rebinding."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self._port or host != host.strip() or "@" in host or "/" in host:
            return False
        if name in ("127.0.0.1", "localhost", "::1", self._host.casefold()):
            return True
        if self._host not in ("0.0.0.0", "::"):
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        """Whether the token is given, by the address or the cookie."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = query.get("token", [])
        cookies: SimpleCookie = SimpleCookie()
        with suppress(CookieError):
            cookies.load(headers.get("cookie", ""))
        if self.cookie in cookies:
            given = [*given, cookies[self.cookie].value]
        return any(hmac.compare_digest(one.encode(), self._token.encode()) for one in given)

    def _welcome(self, scope: Scope) -> Response | None:
        """Turn the token in the front page's address into a cookie."""
        if scope["path"] != "/" or b"token=" not in scope.get("query_string", b""):
            return None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer

    @staticmethod
    def _with_headers(scope: Scope, send: Send) -> Send:
        policy = REPORT_POLICY if scope["path"].startswith(REPORT_PATHS) else PAGE_POLICY

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cache-Control"] = "no-store"
            await send(message)

        return sending


async def _body(scope: Scope, receive: Receive) -> Receive | None:
    """Read a request's body; None where it is longer than any we ask for."""
    if scope["method"] in ("GET", "HEAD"):
        return receive
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        if sum(map(len, parts)) > MAX_BODY:
            return None

    async def again() -> Message:
        return {"type": "http.request", "body": b"".join(parts), "more_body": False}

    return again
