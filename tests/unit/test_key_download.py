"""The download of the host's key set: from that host only, and no more than it may be."""

import asyncio
import gzip
from contextlib import asynccontextmanager

import pytest
import tornado.web
from tornado.httpclient import HTTPError
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from chat.keys import download as key_download
from chat.keys.download import download_key_set
from chat.keys.fetcher import MAX_KEY_SET_BYTES, KeySetError
from chat.settings import load_settings

TEXT = '{"keys": []}'


@asynccontextmanager
async def site(**answers):
    """`async with site(keys=answer) as (url, asked):` a site with these paths; an answer is a text,
    or a handler's method.
    """
    asked = []

    class Handler(tornado.web.RequestHandler):
        async def get(self, path):
            asked.append(path)
            answer = answers[path]
            if callable(answer):
                await answer(self)
            else:
                self.finish(answer)

    listening, port = bind_unused_port()
    server = HTTPServer(tornado.web.Application([("/(.*)", Handler)], log_function=lambda _: None))
    server.add_sockets([listening])
    try:
        yield f"http://127.0.0.1:{port}/", asked
    finally:
        server.stop()
        await server.close_all_connections()


def to(location):
    async def redirect(handler):
        handler.redirect(location)

    return redirect


async def test_a_redirect_within_the_host_is_followed():
    """`/keys` may have moved to `/v2/keys`."""
    async with site(keys=to("moved"), moved=to("/there"), there=TEXT) as (url, asked):
        assert await download_key_set(f"{url}keys") == TEXT
    assert asked == ["keys", "moved", "there"]


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/evil",
        "//127.0.0.2/evil",
        "http://evil.example/",
        "ftp://127.0.0.1/x",
    ],
)
async def test_a_redirect_to_another_host_is_not_followed(location):
    """Whoever can make the host redirect cannot name the keys."""
    async with site(evil=TEXT) as (evil, asked):
        target = location.format(port=evil.rsplit(":")[-1].strip("/"))
        async with site(keys=to(target)) as (url, _):
            with pytest.raises(KeySetError, match="away from the host"):
                await download_key_set(f"{url}keys")
    assert asked == []


@pytest.mark.parametrize("location", ["http://127.0.0.1/keys"])
def test_https_is_never_left(location):
    """A redirect to http would leave the answer to anybody on the way."""
    with pytest.raises(KeySetError):
        key_download._within_host("https://127.0.0.1/keys", location)


async def test_redirects_that_go_round_are_ended():
    """After three of them."""
    async with site(keys=to("/keys")) as (url, asked):
        with pytest.raises(KeySetError, match="too many"):
            await download_key_set(f"{url}keys")
    assert len(asked) == 4


async def test_an_answer_that_is_too_long_is_not_held():
    """Neither said in advance nor in pieces, nor packed."""

    async def in_pieces(handler):
        for _ in range(64):
            handler.write("x" * (MAX_KEY_SET_BYTES // 32))
            await handler.flush()

    async def packed(handler):
        handler.set_header("Content-Encoding", "gzip")
        handler.finish(gzip.compress(b"x" * 50_000_000))

    long = "x" * (MAX_KEY_SET_BYTES + 1)
    async with site(long=long, pieces=in_pieces, packed=packed) as (url, _):
        for path in ("long", "pieces"):
            with pytest.raises((KeySetError, HTTPError, OSError)):
                await download_key_set(url + path)
        with pytest.raises(UnicodeDecodeError):
            await download_key_set(f"{url}packed")


async def test_an_answer_that_does_not_end_is_cut_off():
    """After three seconds."""

    over = asyncio.Event()

    async def never(_handler):
        await over.wait()

    async with site(keys=never) as (url, _):
        with pytest.raises(HTTPError):
            await download_key_set(f"{url}keys", timeout_s=0.05)
        over.set()


@pytest.mark.parametrize(
    "url",
    ["http://localhost/keys", "http://127.0.0.1:80/keys", "http://[::1]/keys", "https://a.b/"],
)
def test_https_and_this_machine_are_accepted(url):
    """What never leaves the machine needs no protection."""
    assert load_settings(jwt_jwks_url=url).jwt_jwks_url == url


@pytest.mark.parametrize(
    "url", ["http://auth:8080/keys", "HTTP://10.0.0.5/keys", "http://localhost.evil.example/"]
)
def test_http_to_another_machine_is_refused_unless_it_is_asked_for(url):
    """One sentence says why, and what to set."""
    with pytest.raises(Exception, match="JWT_JWKS_HTTP=true"):
        load_settings(jwt_jwks_url=url)
    assert load_settings(jwt_jwks_url=url, jwt_jwks_http=True).jwt_jwks_url == url
