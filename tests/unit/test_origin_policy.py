"""Which pages of other sites may talk to the server."""

import pytest

from chat.net.origins import OriginPolicy

POLICY = OriginPolicy(
    (
        "https://crm.example.com", "http://localhost:5173", "capacitor://localhost",
        "app://obsidian.md", "chrome-extension://abcdefgh", "https://Bücher.example:443/",
    )
)  # fmt: skip
HOST = "chat.example.com"


@pytest.mark.parametrize(
    "origin",
    [
        None, "https://crm.example.com", "HTTPS://CRM.example.com", "http://localhost:5173",
        "https://chat.example.com", "http://chat.example.com", "https://CHAT.example.com",
        "https://crm.example.com:443", "https://crm.example.com/", "https://crm.example.com.",
        "capacitor://localhost", "Capacitor://LOCALHOST", "app://obsidian.md",
        "chrome-extension://abcdefgh", "https://xn--bcher-kva.example", "https://bücher.example",
        "https://chat.example.com:443", "http://chat.example.com:80",
    ],
)  # fmt: skip
def test_listed_origins_and_the_own_are_allowed(origin):
    """And whoever sends none, since that is no page of another site."""
    assert POLICY.allows(origin, HOST)


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "*", "https://evil.example", "http://crm.example.com", "crm.example.com",
        "https://crm.example.com:80", "https://crm.example.com.evil.example", "https://",
        "https://crm.example.com..", "https://crm.example.com//", "https://crm.example.com/app",
        "https://crm.example.com?", "https://crm.example.com:", "https://crm.example.com:0443x",
        "capacitor://localhost:1", "ionic://localhost", "capacitor://", "chrome-extension://other",
        "capacitor://chat.example.com", "https://crm.example.com,https://crm.example.com",
        "https://crm.example.com https://evil.example", "https://bücher.example:8443",
        "https://chat.example.com:8443", "https://sub.chat.example.com", "ftp://chat.example.com",
        "https://evil@chat.example.com", "https://chat.example.com@evil.example",
        "https://[::1", "https://chat.example.com\\@evil.example", "//chat.example.com",
        "http://localhost:5174", "http://localhost", "https://crm.example.com ",
    ],
)  # fmt: skip
def test_every_other_origin_is_refused(origin):
    """Nothing is allowed by looking similar, and nothing crashes the look."""
    assert not POLICY.allows(origin, HOST)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("chat.example.com:443", "https://chat.example.com"),
        ("chat.example.com", "https://chat.example.com:443"),
        ("CHAT.example.com.", "https://chat.example.com"),
        ("chat.example.com:8443", "https://chat.example.com:8443"),
        ("[2001:DB8::1]:3000", "http://[2001:db8::1]:3000"),
    ],
)
def test_the_own_origin_is_known_in_every_spelling_of_the_host(host, own):
    """A default port, the case and a dot at the end make no other host."""
    assert POLICY.allows(own, host)


@pytest.mark.parametrize("host", ["", "evil.example"])
def test_the_own_origin_is_that_of_the_host(host):
    """Without a Host, or under another one, it is not the own origin."""
    assert not POLICY.allows("https://chat.example.com", host)
    assert not POLICY.allows("https://", host)
