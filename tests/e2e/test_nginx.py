"""Behind a real nginx with the configuration that deploy/nginx.conf offers for copying."""

import asyncio
import functools
import re
import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tornado.httpclient import AsyncHTTPClient
from tornado.tcpclient import TCPClient

from tests.e2e.js_driver import CLIENTS, TRANSPORTS
from tests.e2e.servers import ROOT, free_port
from tests.support.waiting import eventually

CLIENT_ADDRESS = "127.0.0.7"
"""A loopback address that neither nginx nor the server has: only the client's own can be meant."""

FRAME = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/chatgateway.conf;
}}
"""


async def wait_until_listening(port):
    """Return as soon as somebody accepts connections there."""

    async def is_listening():
        try:
            stream = await TCPClient().connect("127.0.0.1", port)
        except OSError:
            return False
        stream.close()
        return True

    await eventually(is_listening)


def make_certificate(folder):
    """A certificate that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(encoding))
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(encoding, form, plain))


def write_site(folder, server_port, http_port, https_port):
    """deploy/nginx.conf with addresses and folders of this test, and in it the location of
    deploy/nginx-under-a-path.conf; nothing else is changed.
    """
    site = (ROOT / "deploy/nginx.conf").read_text()
    for ours, mine in (
        ("server 127.0.0.1:3000;", f"server 127.0.0.1:{server_port};"),
        ("listen 80;", f"listen 127.0.0.1:{http_port};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https_port} ssl;"),
        ("listen 80 default_server;", f"listen 127.0.0.1:{http_port} default_server;"),
        ("listen 443 ssl default_server;", f"listen 127.0.0.1:{https_port} ssl default_server;"),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl;\n", ""),
        ("    listen [::]:80 default_server;\n", ""),
        ("    listen [::]:443 ssl default_server;\n", ""),
        ("/var/log/nginx/chatgateway.log", f"{folder}/access.log"),
    ):
        assert site.count(ours) == 1, ours
        site = site.replace(ours, mine)
    for ours, mine, times in (
        ("server_name chat.example.com;", "server_name 127.0.0.1;", 2),
        ("/etc/letsencrypt/live/chat.example.com/", f"{folder}/", 4),
    ):
        assert site.count(ours) == times, ours
        site = site.replace(ours, mine)
    under_a_path = (ROOT / "deploy/nginx-under-a-path.conf").read_text()
    ours = "http://127.0.0.1:3000/;"
    assert under_a_path.count(ours) == 1
    under_a_path = under_a_path.replace(ours, f"http://127.0.0.1:{server_port}/;")
    ours = "    # Both transports of Socket.IO"
    assert site.count(ours) == 1
    site = site.replace(ours, f"{under_a_path}\n{ours}")
    (folder / "chatgateway.conf").write_text(site)


@pytest.fixture
def nginx(tmp_path):
    """`async with nginx(server_port) as (http, https):` the two addresses of deploy/nginx.conf;
    `changes` are texts of it and what stands there instead.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed")

    @asynccontextmanager
    async def run(server_port, changes=()):
        http_port, https_port = free_port(), free_port()
        make_certificate(tmp_path)
        write_site(tmp_path, server_port, http_port, https_port)
        site = tmp_path / "chatgateway.conf"
        for ours, mine in dict(changes).items():
            assert site.read_text().count(ours) == 1, ours
            site.write_text(site.read_text().replace(ours, mine))
        (tmp_path / "nginx.conf").write_text(FRAME.format(folder=tmp_path))
        process = await asyncio.create_subprocess_exec(
            program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")
        )
        try:
            await wait_until_listening(https_port)
            yield f"http://127.0.0.1:{http_port}", f"https://127.0.0.1:{https_port}"
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 10)

    return run


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_the_official_clients_get_through_nginx_on_every_transport(
    serve, nginx, javascript, client, transport, log, tmp_path
):
    """Both transports and the upgrade work; the access log has the client's address."""
    async with (
        serve(trust_proxy=True) as chat,
        nginx(chat.app.port) as (_, url),
        javascript() as js,
    ):
        chat_id = await chat.create_chat([1])
        token = chat.token(1)
        ada = await js.connect(
            f"{url}/chat?token={token}",
            client=client,
            transport=transport,
            localAddress=CLIENT_ADDRESS,
            rejectUnauthorized=False,
        )
        await ada.next("connect")
        expected = ["polling", "websocket"] if transport == "upgrade" else [transport]
        assert [await ada.next("transport") for _ in expected] == expected
        await ada.call("joinChat", {"chatId": chat_id})
        await ada.call("sendMessage", {"chatId": chat_id, "content": "through nginx"})
        assert (await ada.next("newMessage"))["message"]["message"] == "through nginx"
        await ada.disconnect()
        # nginx writes the line of a websocket when it has ended.
        proxy_log = await eventually((tmp_path / "access.log").read_text)
    connected = next(line for line in log.entries if line["event"] == "connected")
    assert connected["remote_ip"] == CLIENT_ADDRESS
    assert f"{CLIENT_ADDRESS} [" in proxy_log
    assert '"GET /socket.io/"' in proxy_log
    assert token not in proxy_log


async def test_a_client_cannot_lend_itself_another_address_through_nginx(serve, nginx, log):
    """Forwarding headers of a client are replaced by nginx, so none of them is believed."""
    forged = {"X-Real-IP": "203.0.113.9", "X-Forwarded-For": "203.0.113.9"}
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port) as (_, url):
        response = await AsyncHTTPClient().fetch(
            f"{url}/chats", headers=forged, raise_error=False, validate_cert=False
        )
        assert response.code == 401
    refused = next(line for line in log.entries if line["event"] == "auth_failed")
    assert refused["remote_ip"] == "127.0.0.1"


async def test_rest_and_the_page_are_served_through_nginx(serve, nginx):
    """All beside /socket.io/ goes through too, and the page's own origin is known as such."""
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port) as (http, https):
        fetch = functools.partial(
            AsyncHTTPClient().fetch, raise_error=False, validate_cert=False, follow_redirects=False
        )
        page = await fetch(https)
        assert b"<title>ChatGateway</title>" in page.body
        headers = {"Authorization": f"Bearer {chat.token(1)}", "Origin": https}
        assert (await fetch(f"{https}/chats", headers=headers)).code == 200
        headers["Origin"] = "https://evil.example"
        assert (await fetch(f"{https}/chats", headers=headers)).code == 403
        plain = await fetch(f"{http}/chats?limit=1")
        assert plain.code == 308
        assert plain.headers["Location"] == "https://127.0.0.1/chats?limit=1"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_client_gets_through_nginx_to_a_server_under_a_path(
    serve, nginx, javascript, transport, log
):
    """Socket.IO's `path` leads to the server that is under /im, on every transport."""
    async with (
        serve(trust_proxy=True) as chat,
        nginx(chat.app.port) as (_, url),
        javascript() as js,
    ):
        chat_id = await chat.create_chat([1])
        ada = await js.connect(
            f"{url}/chat?token={chat.token(1)}",
            transport=transport,
            path="/im/socket.io",
            localAddress=CLIENT_ADDRESS,
            rejectUnauthorized=False,
        )
        await ada.next("connect")
        await ada.call("joinChat", {"chatId": chat_id})
        await ada.call("sendMessage", {"chatId": chat_id, "content": "under a path"})
        assert (await ada.next("newMessage"))["message"]["message"] == "under a path"
        await ada.disconnect()
    connected = next(line for line in log.entries if line["event"] == "connected")
    assert connected["remote_ip"] == CLIENT_ADDRESS


async def test_the_page_and_rest_are_under_a_path_of_nginx(serve, nginx):
    """/im leads to /im/, the files that the page names are there, and its origin is known."""
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port) as (_, https):
        fetch = functools.partial(
            AsyncHTTPClient().fetch, raise_error=False, validate_cert=False, follow_redirects=False
        )
        to_page = await fetch(f"{https}/im")
        assert to_page.code in (301, 308)
        assert to_page.headers["Location"].endswith("/im/")
        page = await fetch(f"{https}/im/")
        for file in re.findall(rb'(?:src|href)="([^"]+)"', page.body):
            assert (await fetch(f"{https}/im/{file.decode()}")).code == 200
        headers = {"Authorization": f"Bearer {chat.token(1)}", "Origin": https}
        assert (await fetch(f"{https}/im/chats", headers=headers)).code == 200
        headers["Origin"] = "https://evil.example"
        assert (await fetch(f"{https}/im/chats", headers=headers)).code == 403


async def test_nginx_answers_for_its_own_name_only(serve, nginx):
    """A foreign Host gets 421 and nothing of the server, on both ports."""
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port) as addresses:
        for url in addresses:
            answer = await AsyncHTTPClient().fetch(
                f"{url}/health/live",
                headers={"Host": "evil.example"},
                raise_error=False,
                validate_cert=False,
                follow_redirects=False,
            )
            assert answer.code == 421
            assert b"live" not in answer.body


async def test_nginx_tells_browsers_to_stay_on_https(serve, nginx):
    """On the page, REST, /socket.io/ and refusals; and not which nginx it is."""
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port) as (_, url):
        for path in ("/", "/chats", "/socket.io/?EIO=4&transport=polling", "/nowhere"):
            answer = await AsyncHTTPClient().fetch(
                url + path, raise_error=False, validate_cert=False
            )
            assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
            assert answer.headers["Server"] == "nginx"


async def test_nginx_bounds_what_one_address_asks_for(serve, nginx):
    """Over the rate and its burst requests get 429, and those within it are answered."""
    slower = {"rate=100r/s": "rate=1r/m", "burst=400": "burst=4"}
    async with serve(trust_proxy=True) as chat, nginx(chat.app.port, slower) as (_, url):
        fetch = functools.partial(
            AsyncHTTPClient().fetch, f"{url}/health/live", raise_error=False, validate_cert=False
        )
        codes = [(await fetch()).code for _ in range(8)]
    assert codes == [200] * 5 + [429] * 3
