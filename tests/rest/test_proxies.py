"""What a trusted proxy says of a request: whose it is, for which host, and under which path."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.rest import raw as rest_raw
from tests.support.rest.server import SharedServer
from tests.support.stores import fresh_database

PROXIES = ("127.0.0.1", "10.0.0.0/8")
CLIENT = "203.0.113.7"


def _start(store_uri, **settings):
    server = SharedServer(fresh_database(store_uri), **settings)
    server.start()
    return server


@pytest.fixture(scope="module")
def proxied(store_uri: str) -> Iterator[SharedServer]:
    """A server that believes its proxies, and is under /im for the world."""
    server = _start(store_uri, trust_proxy=True, trusted_proxies=PROXIES, public_path="/im/")
    yield server
    server.stop()


def ask(server, target, *headers, method="GET"):
    return rest_raw.get(server.chat.app.port, target, *headers, method=method)


def seen(log, server, *headers):
    """The log line of a request that is refused, with what the server takes it for."""
    log.entries.clear()
    assert ask(server, "/nowhere", *headers).status == 404
    [line] = [each for each in log.entries if each["event"] == "request_refused"]
    return line


ADDRESSES = [
    ([f"X-Forwarded-For: {CLIENT}"], CLIENT),
    ([f"X-Forwarded-For: {CLIENT}:50001"], CLIENT),
    (["X-Forwarded-For: [2001:db8::1]:443"], "2001:db8::1"),
    ([f"X-Forwarded-For: 198.51.100.1, {CLIENT}:1, 10.1.2.3:9"], CLIENT),
    ([f"X-Forwarded-For: {CLIENT}, , 10.1.2.3,"], CLIENT),
    ([f"X-Forwarded-For: {CLIENT}", "X-Forwarded-For: 10.1.2.3"], CLIENT),
    (["X-Forwarded-For: unknown, 10.1.2.3"], "10.1.2.3"),
    (["X-Forwarded-For: 10.9.9.9, 10.1.2.3"], "10.9.9.9"),
    ([f"X-Forwarded-For: ::ffff:{CLIENT}"], CLIENT),
    ([f"X-Real-Ip: {CLIENT}:50001"], CLIENT),
    ([f'X-Real-Ip: "[::ffff:{CLIENT}]:1"'], CLIENT),
    ([f"X-Real-Ip: {CLIENT}", "X-Forwarded-For: 198.51.100.1"], CLIENT),
    (["X-Real-Ip: unknown", f"X-Forwarded-For: {CLIENT}"], CLIENT),
    (["X-Real-Ip: 198.51.100.1", f"X-Real-Ip: {CLIENT}"], CLIENT),
    ([f"Forwarded: for={CLIENT}"], CLIENT),
    ([f'Forwarded: For="{CLIENT}:47011";proto=https;by="x,for=198.51.100.1"'], CLIENT),
    (['Forwarded: for=198.51.100.1, for="[2001:db8::1]:4711";host=a, for=10.1.2.3'], "2001:db8::1"),
    (["Forwarded: for=198.51.100.1", f"X-Forwarded-For: {CLIENT}"], CLIENT),
    (["Forwarded: for=unknown"], "127.0.0.1"),
    (["X-Forwarded-For: "], "127.0.0.1"),
    ([], "127.0.0.1"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "address"), ADDRESSES)
def test_a_client_counts_by_its_own_address(proxied, log, headers, address):
    """In whatever spelling a proxy hands it on, in one header line or in several."""
    assert seen(log, proxied, *headers)["remote_ip"] == address


@pytest.mark.parametrize("entry", ["unknown", "_hidden", "not-an-address", "[1.2.3.4", "a" * 300])
def test_an_address_that_cannot_be_read_is_told_in_the_log(proxied, log, entry):
    """Otherwise all clients would count as the proxy, and nobody would know why."""
    assert seen(log, proxied, f"X-Forwarded-For: {entry}")["remote_ip"] == "127.0.0.1"
    [told] = [each for each in log.entries if each["event"] == "forwarded_address_unreadable"]
    assert (told["entry"], told["counted_as"]) == (entry, "127.0.0.1")


def test_nothing_of_one_request_is_left_for_the_next(proxied, log):
    """A connection of a proxy carries the requests of many clients."""
    own = f"127.0.0.1:{proxied.chat.app.port}"
    plain = f"GET /im/nowhere HTTP/1.1\r\nHost: {own}\r\n"
    told = f"{plain}X-Forwarded-For: {CLIENT}\r\nX-Forwarded-Host: chat.example.com\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxied.chat.app.port), timeout=10) as connection:
        connection.sendall(f"{told}{plain}Connection: close\r\n\r\n".encode())
        while connection.recv(65_536):
            pass
    lines = [each for each in log.entries if each["event"] == "request_refused"]
    seen_as = [(each["remote_ip"], each["host"], each["path"]) for each in lines]
    assert seen_as == [(CLIENT, "chat.example.com", "/nowhere"), ("127.0.0.1", own, "/nowhere")]


OWN = [
    ["Host: 10.0.0.5:3000", "X-Forwarded-Host: chat.example.com"],
    ["Host: 10.0.0.5:3000", "X-Forwarded-Host: chat.example.com, inner.example"],
    ["Host: 10.0.0.5:3000", "X-Forwarded-Host: Chat.Example.com:443"],
    ["Host: 10.0.0.5:3000", "X-Forwarded-Proto: https,http", "X-Forwarded-Host: chat.example.com"],
    ["Host: 10.0.0.5:3000", "Forwarded: for=1.2.3.4;host=chat.example.com;proto=https"],
    ["Host: 10.0.0.5:3000", 'Forwarded: host="chat.example.com:443", host=inner.example'],
    ["Host: chat.example.com", "X-Forwarded-Host: "],
    ["Host: chat.example.com", "X-Forwarded-Host: not a host/"],
]
FOREIGN = [
    ["Host: chat.example.com", "X-Forwarded-Host: other.example"],
    ["Host: 10.0.0.5:3000", "X-Forwarded-Host: inner.example, chat.example.com"],
    ["Host: 10.0.0.5:3000", "X-Forwarded-Host: chat.example.com:8443"],
]


def _raw(server, target, lines):
    """Without a Host of the helper's own."""
    head = "\r\n".join([f"GET {target} HTTP/1.1", "Connection: close", *lines])
    return rest_raw.exchange(server.chat.app.port, f"{head}\r\n\r\n".encode())


@pytest.mark.parametrize("target", ["/chats", "/socket.io/?EIO=4&transport=polling", "/demo"])
@pytest.mark.parametrize("headers", OWN)
def test_a_page_is_the_servers_own_by_the_host_that_the_client_asked_for(proxied, headers, target):
    """Whatever the proxy makes of the Host header; one rule for REST and for sockets."""
    answer = _raw(proxied, target, [*headers, "Origin: https://chat.example.com"])
    assert answer.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert answer.status != 403


@pytest.mark.parametrize("target", ["/chats", "/socket.io/?EIO=4&transport=polling"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_host_is_not_the_servers_own(proxied, headers, target):
    """Of a list the first is the client's."""
    answer = _raw(proxied, target, [*headers, "Origin: https://chat.example.com"])
    assert answer.status == 403


@pytest.mark.parametrize("target", ["/chats", "/socket.io/?EIO=4&transport=polling"])
def test_who_is_no_proxy_can_say_nothing_of_hosts_and_paths(shared, target):
    """Without TRUST_PROXY these headers are any stranger's."""
    told = ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"]
    answer = _raw(shared, target, ["Host: a.example", "Origin: https://evil.example", *told])
    assert answer.status == 403
    prefixed = _raw(shared, f"/im{target}", ["Host: a.example", "X-Forwarded-Prefix: /im"])
    assert prefixed.status == 404


PATHS = ["/", "/static/app.js", "/health/live", "/socket.io/?EIO=4&transport=polling"]


@pytest.mark.parametrize("prefix", ["", "/im"])
@pytest.mark.parametrize("target", PATHS)
def test_a_server_under_a_path_answers_with_and_without_it(proxied, target, prefix):
    """Whether the proxy cuts the path off or not."""
    assert ask(proxied, prefix + target).status == 200


@pytest.mark.parametrize("told", ["/apps/chat", "/apps/chat/", "/apps/chat, /inner"])
def test_a_proxy_can_name_the_path_itself(proxied, told):
    """X-Forwarded-Prefix is PUBLIC_PATH for the request that has it."""
    headers = [f"X-Forwarded-Prefix: {told}"]
    for target in ("/health/live", "/apps/chat/health/live"):
        assert ask(proxied, target, *headers).status == 200
    slash = ask(proxied, "/apps/chat", *headers)
    assert (slash.status, slash.headers["location"]) == (308, "./chat/")
    assert ask(proxied, "/apps/chat/health/live").status == 404


@pytest.mark.parametrize("target", ["/imx/health/live", "/IM/health/live", "/im/im/health/live"])
def test_only_the_whole_path_is_cut_off_and_once(proxied, target):
    """Another path is another path."""
    assert ask(proxied, target).status == 404


@pytest.mark.parametrize("target", ["/im", "/im?x=1"])
def test_the_path_without_its_slash_leads_to_the_page(proxied, target):
    """The page's files are found relative to `/im/`."""
    answer = ask(proxied, target)
    assert (answer.status, answer.headers["location"]) == (308, "./im/")
    assert "server" not in answer.headers


def test_every_file_of_the_page_is_found_under_the_path(proxied):
    """The page names its files relative to itself."""
    page = ask(proxied, "/im/").content.decode()
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert files
    for file in files:
        assert not file.startswith("/")
        assert ask(proxied, f"/im/{file}").status == 200


@pytest.mark.parametrize("path", ["/chats", "/static/chat", "/socket.io", "/health"])
async def test_a_path_that_begins_like_a_route_is_refused(serve, path):
    """Nobody could tell whether the proxy has cut it off."""
    with pytest.raises(Exception, match="PUBLIC_PATH"):
        async with serve(public_path=path):
            pass
