"""Addresses as proxies spell them."""

import pytest

from chat.net.addresses import Networks, home_of, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\t", "203.0.113.7"),
        ("203.0.113.7:50001", "203.0.113.7"),
        ('"203.0.113.7:50001"', "203.0.113.7"),
        ("203.0.113.7:", "203.0.113.7"),
        ("203.0.113.7:_port", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("::ffff:203.0.113.7:443", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:443", "fe80::1"),
    ],
)
def test_an_address_is_read_in_every_usual_spelling(text, address):
    """With a port, brackets, quotes, blanks, a zone; an IPv4 address within IPv6 is the former."""
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "unknown", "_hidden", '""', "[]", "[203.0.113.7", "[2001:db8::1]443", "localhost",
        "203.0.113.7:port", "203.0.113.7:1:2", "203.0.113", "256.1.1.1", "010.1.1.1", "1:2",
        "%eth0", "http://203.0.113.7", "203.0.113.7/24", "203.0.113.7 198.51.100.1", "²03.0.113.7",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(text):
    """Nothing is guessed."""
    assert read_address(text) is None


def test_every_spelling_belongs_to_the_same_network_and_home():
    """What is counted by address is counted once."""
    assert "::ffff:10.1.2.3" in Networks(["10.0.0.0/8"])
    assert home_of("::ffff:10.1.2.3") == home_of("10.1.2.3")
    assert home_of("2001:db8::1") == home_of("2001:db8::ffff")
