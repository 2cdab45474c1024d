"""Who may ask: token, host with its port, origin, sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from analysis.app.guard import MAX_BODY, Guard

TOKEN = "correct-horse"
PORT = 8767
BASE = f"http://127.0.0.1:{PORT}"


async def answer(request):
    return PlainTextResponse(f"{request.method} {len(await request.body())}")


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text("in")
    await websocket.close()


def client(host="127.0.0.1", base=BASE, **headers):
    routes = [
        Route("/", answer),
        Route("/x", answer, methods=["GET", "POST"]),
        Route("/report/a", answer),
        WebSocketRoute("/live", socket),
    ]
    guarded = Guard(Starlette(routes=routes), TOKEN, host, PORT)
    return TestClient(guarded, base, headers=headers, follow_redirects=False)


def test_the_front_page_turns_the_token_into_a_cookie_of_this_port():
    asked = client()
    first = asked.get(f"/?token={TOKEN}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"hiprot-{PORT}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert asked.get("/x").status_code == 200  # with the cookie alone


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", f"?token={TOKEN}x", "?token=ü"])
def test_without_the_token_nothing_is_answered(query):
    for path in ("/", "/x", "/report/a", "/nothing"):
        assert client().get(path + query).status_code == 403


def test_another_ports_cookie_does_not_open():
    asked = client()
    asked.cookies.set("hiprot-1", TOKEN)
    assert asked.get("/x").status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:80",
        f"x@127.0.0.1:{PORT}",
        "",
    ],
)
def test_a_foreign_name_is_refused(host):
    assert client().get(f"/x?token={TOKEN}", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"127.0.0.1:{PORT}", f"[::1]:{PORT}"])
def test_its_own_names_are_known(host):
    assert client().get(f"/x?token={TOKEN}", headers={"host": host}).status_code == 200


def test_open_to_the_network_it_has_addresses_but_no_foreign_names():
    asked = client("0.0.0.0")
    for host, status in ((f"192.168.1.7:{PORT}", 200), (f"evil.example:{PORT}", 421)):
        assert asked.get(f"/x?token={TOKEN}", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "origin", [None, "null", "http://127.0.0.1:9999", f"https://127.0.0.1:{PORT}"]
)
def test_writing_needs_this_very_origin(origin):
    headers = {} if origin is None else {"origin": origin}
    assert client().post(f"/x?token={TOKEN}", headers=headers).status_code == 403


SOCKET = f"ws://127.0.0.1:{PORT}/live"


def test_from_its_own_origin_all_is_open():
    assert client(origin=BASE).post(f"/x?token={TOKEN}", content=b"abc").text == "POST 3"
    headers = {"origin": BASE, "host": BASE[7:]}
    with client().websocket_connect(f"{SOCKET}?token={TOKEN}", headers=headers) as opened:
        assert opened.receive_text() == "in"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"origin": BASE, "host": BASE[7:]}),
        (f"?token={TOKEN}", {"host": BASE[7:]}),
        (f"?token={TOKEN}", {"origin": BASE, "host": f"evil.example:{PORT}"}),
        (f"?token={TOKEN}", {"origin": "http://127.0.0.1:1", "host": BASE[7:]}),
    ],
)
def test_a_socket_needs_token_name_and_origin(query, headers):
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect(SOCKET + query, headers=headers),
    ):
        pass


def test_long_bodies_are_refused():
    asked = client(origin=BASE)
    assert asked.post(f"/x?token={TOKEN}", content=b"a" * MAX_BODY).status_code == 200
    assert asked.post(f"/x?token={TOKEN}", content=b"a" * (MAX_BODY + 1)).status_code == 413


def test_pages_load_nothing_from_elsewhere_and_reports_run_no_script():
    page = client().get(f"/x?token={TOKEN}").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in page
    assert "unsafe" not in page
    report = client().get(f"/report/a?token={TOKEN}").headers["content-security-policy"]
    assert "script-src" not in report
    assert "sandbox allow-modals" in report


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_no_host_passes_but_its_own(host):
    status = client().get(f"/x?token={TOKEN}", headers={"host": host}).status_code
    own = {f"{name}:{PORT}" for name in ("127.0.0.1", "localhost", "[::1]")}
    assert (status == 200) == (host.casefold() in own)
