"""The addresses that HOST and PORT stand for: which are taken, what is said when one is not to be
had, and the URL that the greeting names.
"""

import errno
import socket
from contextlib import contextmanager

import pytest

from chat.errors import SetupError
from chat.http import listening
from chat.http.listening import bind, everywhere, url_of
from chat.settings import load_settings
from tests.support.server_process import SECRET, server_process

V4, V6 = "127.0.0.1", "::1"


def settings_of(host, port=0):
    return load_settings(host=host, port=port, jwt_secret=SECRET)


@contextmanager
def listening_on(host, port=0):
    """The sockets of a server."""
    sockets = bind(settings_of(host, port))
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def answers(address, port):
    try:
        with socket.create_connection((address, port), timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture
def ipv6():
    """Skips where this machine has no IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind((V6, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")


@pytest.fixture
def no_ipv6(monkeypatch):
    """A machine without IPv6: the kernel makes no such socket."""
    real = socket.socket

    def make(family=socket.AF_INET, *rest):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *rest)

    monkeypatch.setattr(listening.socket, "socket", make)


def resolves_to(monkeypatch, *addresses):
    """Every name stands for these addresses."""
    families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
    ends = [(each, 0, 0, 0) if ":" in each else (each, 0) for each in addresses]
    found = [(family, 1, 6, "", end) for family, end in zip(families, ends, strict=True)]
    monkeypatch.setattr(listening.socket, "getaddrinfo", lambda *_, **__: found)


REACHED = {
    "::": (True, True, "http://127.0.0.1:{}/", "IPv4 and IPv6"),
    "[::]": (True, True, "http://127.0.0.1:{}/", "IPv4 and IPv6"),
    "0.0.0.0": (True, False, "http://127.0.0.1:{}/", "IPv4"),  # noqa: S104
    "localhost": (True, True, "http://127.0.0.1:{}/", ""),
    "127.0.0.1": (True, False, "http://127.0.0.1:{}/", ""),
    "::1": (False, True, "http://[::1]:{}/", ""),
    "[::1]": (False, True, "http://[::1]:{}/", ""),
}


@pytest.mark.parametrize("host", REACHED)
def test_a_host_is_listened_on_as_it_is_meant_and_the_greeting_is_true(ipv6, host):
    """`::` is both families, each address has the same port, and the named URL answers."""
    v4, v6, url, all_of = REACHED[host]
    settings = settings_of(host)
    with listening_on(host) as sockets:
        (port,) = {each.getsockname()[1] for each in sockets}
        assert (answers(V4, port), answers(V6, port)) == (v4, v6)
        assert url_of(settings, sockets) == url.format(port)
        assert everywhere(sockets) == all_of


async def test_the_program_says_where_it_listens(ipv6, mongodb_uri, tmp_path):
    """HOST=::, as in a container: the address of the greeting answers, and all addresses are named
    in the next line.
    """
    async with server_process(tmp_path, HOST="::", MONGODB_URI=mongodb_uri) as server:
        assert (await server.request("GET", "/health/live"))[0] == 200
        said = await server.process.stdout.readline()
        assert said == b"It listens on all IPv4 and IPv6 addresses of this machine.\n"


def test_a_name_of_both_families_is_listened_on_in_both(ipv6, monkeypatch):
    """With one port, also when the system picks it; the greeting keeps the name."""
    resolves_to(monkeypatch, V6, V4, V4)
    with listening_on("chat.example.com") as sockets:
        assert [each.getsockname()[0] for each in sockets] == [V4, V6]
        (port,) = {each.getsockname()[1] for each in sockets}
        found = url_of(settings_of("chat.example.com"), sockets)
        assert found == f"http://chat.example.com:{port}/"


@pytest.mark.parametrize(("host", "all_of"), [("::", "IPv4"), ("localhost", "")])
def test_a_machine_without_ipv6_is_listened_on_by_ipv4(no_ipv6, log, host, all_of):
    """A word in the log says which address is missing."""
    with listening_on(host) as sockets:
        port = sockets[0].getsockname()[1]
        assert answers(V4, port)
        assert url_of(settings_of(host), sockets) == f"http://127.0.0.1:{port}/"
        assert everywhere(sockets) == all_of
    assert [line["event"] for line in log.entries] == ["address_missing"]


@pytest.mark.parametrize("taken", [V4, V6])
@pytest.mark.parametrize("host", ["::", "localhost"])
def test_a_port_that_is_taken_on_one_family_is_refused(ipv6, host, taken):
    """The sentence names the address; the other one is let go."""
    with socket.socket(socket.AF_INET6 if ":" in taken else socket.AF_INET) as owner:
        owner.bind((taken, 0))
        owner.listen()
        port = owner.getsockname()[1]
        with pytest.raises(SetupError) as caught:
            bind(settings_of(host, port))
        named = {"localhost": taken, "::": "::" if taken == V6 else "0.0.0.0"}[host]  # noqa: S104
        assert f"port {port} of {named} is taken" in str(caught.value)
    with listening_on(host, port):
        pass


def test_a_free_port_is_free_on_both_families(ipv6, monkeypatch):
    """PORT=0: a port that somebody has on the other family is not the one."""
    with socket.socket(socket.AF_INET6) as owner:
        owner.bind((V6, 0))
        owner.listen()
        real, picked = listening._listen, []

        def listen(family, address):
            if family == socket.AF_INET and not picked:
                address = (V4, owner.getsockname()[1])
            picked.append(address)
            return real(family, address)

        monkeypatch.setattr(listening, "_listen", listen)
        with listening_on("localhost") as sockets:
            assert len({each.getsockname()[1] for each in sockets}) == 1
        assert len(picked) == 4


@pytest.mark.parametrize("host", ["203.0.113.9", "nosuch.invalid", "2001:db8::1"])
def test_an_address_of_another_machine_is_one_sentence(host):
    """It says what to set."""
    with pytest.raises(SetupError, match=r"set HOST.*\.$"):
        bind(settings_of(host))


@pytest.mark.parametrize(
    "host", ["*", "[]", "http://127.0.0.1", "127.0.0.1:3000", "[::1]:3000", "a b", "a,b"]
)
def test_what_is_no_address_is_refused_with_what_to_write(host):
    """One sentence that repeats the value."""
    with pytest.raises(SetupError, match=r"HOST: .*write") as caught:
        settings_of(host)
    assert repr(host) in str(caught.value)


def test_an_empty_host_is_the_default(monkeypatch):
    """`HOST=` in a compose file means what leaving it out means."""
    monkeypatch.setenv("HOST", "")
    assert load_settings().host == V4
