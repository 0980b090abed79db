"""JWT_PUBLIC_KEY in every form in which operators have a key."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from chat.errors import SetupError
from chat.keys.public_keys import read_public_key
from chat.keys.token_keys import TokenKeys
from chat.settings import load_settings
from tests.support.delivery.keys import short_key

RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC = ec.generate_private_key(ec.SECP256R1())
SPKI = PublicFormat.SubjectPublicKeyInfo


def certificate_of(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "host")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def forms_of(key):
    """Name -> the key's public half in that form, as text."""
    public, certificate = key.public_key(), certificate_of(key)
    pem = public.public_bytes(Encoding.PEM, SPKI).decode()
    der = public.public_bytes(Encoding.DER, SPKI)
    wrapped = certificate.public_bytes(Encoding.PEM).decode()
    return {
        "PEM": pem,
        "PEM with literal \\n": pem.replace("\n", "\\n"),
        "PEM with literal \\r\\n": pem.replace("\n", "\\r\\n"),
        "PEM with blanks for line breaks": pem.replace("\n", " "),
        "PEM of Windows": pem.replace("\n", "\r\n"),
        "PEM in quotes": f'"{pem}"',
        "PEM behind a text": f"Bag Attributes\n  friendlyName: x\n{pem}",
        "base64": base64.b64encode(der).decode(),
        "base64 in lines": base64.encodebytes(der).decode(),
        "certificate": wrapped,
        "certificate with literal \\n": wrapped.replace("\n", "\\n"),
        "base64 of a certificate": base64.b64encode(
            certificate.public_bytes(Encoding.DER)
        ).decode(),
        "a chain of certificates": wrapped + certificate_of(EC).public_bytes(Encoding.PEM).decode(),
    }


FORMS = [(kind, name) for kind in ("RSA", "EC") for name in forms_of(EC)]
KEYS = {"RSA": (RSA, forms_of(RSA)), "EC": (EC, forms_of(EC))}


@pytest.mark.parametrize("where", ["value", "file"])
@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_a_key_is_read_in_every_usual_form(tmp_path, kind, form, where):
    """As the value itself or in a file that the value names."""
    key, forms = KEYS[kind]
    value = forms[form]
    if where == "file":
        path = tmp_path / "key"
        path.write_text(value)
        value = str(path)
    read = load_settings(jwt_public_key=value).jwt_public_key
    assert load_pem_public_key(read.encode()) == key.public_key()
    keys = TokenKeys(public_key=read)
    ours, other = ("RS256", "ES256") if kind == "RSA" else ("ES256", "RS256")
    assert (keys.knows(ours), keys.knows(other)) == (True, False)


def test_a_key_of_pkcs_1_and_a_binary_file_are_read(tmp_path):
    """What `openssl rsa -RSAPublicKey_out` and `-outform DER` write."""
    public = RSA.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    (tmp_path / "key.der").write_bytes(public.public_bytes(Encoding.DER, SPKI))
    for value in (pem, str(tmp_path / "key.der")):
        assert load_pem_public_key(read_public_key(value).encode()) == public


def private(key, form):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, SPKI).decode()


def certificate_text(key):
    return certificate_of(key).public_bytes(Encoding.PEM).decode()


MISTAKES = {
    "a private key": (private(RSA, PrivateFormat.PKCS8), "private key"),
    "a private key of RSA": (private(RSA, PrivateFormat.TraditionalOpenSSL), "private key"),
    "a private key with literal \\n": (
        private(EC, PrivateFormat.PKCS8).replace("\n", "\\n"),
        "private key",
    ),
    "short": (public(short_key()), "RSA key of 1024 bits; 2048 are needed"),
    "short in a certificate": (
        certificate_text(short_key()),
        "RSA key of 1024 bits; 2048 are needed",
    ),
    "another curve": (public(ec.generate_private_key(ec.SECP384R1())), "another kind"),
    "another algorithm": (public(ed25519.Ed25519PrivateKey.generate()), "another kind"),
    "cut off": (public(RSA)[:200], "cut off"),
    "damaged": (public(RSA).replace("MII", "MIX"), "can be read"),
    "a request": (public(RSA).replace("PUBLIC KEY", "CERTIFICATE REQUEST"), "REQUEST"),
    "base64 of nothing": (base64.b64encode(b"0" + b"x" * 99).decode(), "no public key"),
    "JSON": ('{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', "JWT_JWKS_URL"),
    "of SSH": ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 me@here", "SSH"),
    "no such file": ("/no/such/file.pem", "no such file"),
    "a folder": ("/", "directory"),
    "anything": ("nonsense", "neither"),
    "a NUL": ("a\0b", "neither"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_wrong_with_a_key_is_told(mistake):
    """In one sentence that repeats nothing of the value."""
    value, said = MISTAKES[mistake]
    with pytest.raises(SetupError, match=said) as caught:
        load_settings(jwt_public_key=value)
    told = str(caught.value)
    assert told.startswith("JWT_PUBLIC_KEY is ")
    assert "\n" not in told
    assert value[30:60] == "" or value[30:60] not in told
