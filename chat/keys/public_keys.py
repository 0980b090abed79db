"""Public keys as operators have them: PEM, a certificate, base64, one line with literal `\\n`."""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

MIN_RSA_BITS: Final = 2_048
"""RFC 7518 3.3: a shorter key must not be used."""

MIN_BASE64_CHARS: Final = 80
"""A P-256 key has 124; no file's path is as long as this without a dot or a dash in it."""

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LOADERS: Final[dict[str, Callable[[bytes], object]]] = {
    "PUBLIC KEY": load_pem_public_key,
    "RSA PUBLIC KEY": load_pem_public_key,
    "CERTIFICATE": lambda pem: x509.load_pem_x509_certificate(pem).public_key(),
}


def is_short(key: object) -> bool:
    """Whether a key is an RSA key that is too short to be safe."""
    return isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS


def read_public_key(value: str) -> str:
    """Read an RSA or P-256 public key from its text or from a file, and return it as PEM text.

    Raises a ValueError that says what is wrong with the value.
    """
    text = value.strip()
    if "-----BEGIN" in text:
        return _from_pem(text)
    if text.startswith("{"):
        raise ValueError("is JSON; give the address of a key set in JWT_JWKS_URL, or a PEM text")
    if text.startswith(("ssh-", "ecdsa-")):
        raise ValueError("is a key of SSH; `ssh-keygen -e -m PKCS8` makes a PEM text of its file")
    der = _from_base64(text)
    if der is not None:
        return _from_der(der)
    try:
        content = Path(value.strip()).read_bytes()
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise ValueError(
            f"is neither a key (PEM or base64) nor a file that can be read ({why})"
        ) from None
    if b"-----BEGIN" in content:
        return _from_pem(content.decode("utf-8", "replace").strip())
    return _from_der(_from_base64(content.decode("latin-1")) or content)


def _from_base64(text: str) -> bytes | None:
    bare = "".join(text.split())
    if len(bare) < MIN_BASE64_CHARS:
        return None
    try:
        decoded = base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Every key and certificate begins with this byte; a path could be base64, too.
    return decoded if decoded[:1] == b"0" else None


def _from_pem(text: str) -> str:
    if "PRIVATE KEY-----" in text:
        raise ValueError("is a private key; give the public one, and keep this one to yourself")
    block = _BLOCK.search(text.replace("\\r", "").replace("\\n", "\n"))
    if block is None:
        raise ValueError("is cut off: a key in PEM form ends with an END line of the same name")
    label, body = block[1], "\n".join(block[2].split())
    load = _LOADERS.get(label)
    if load is None:
        raise ValueError(f"is a {label[:40]} in PEM form; give a PUBLIC KEY or a CERTIFICATE")
    try:
        key = load(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode())
    except Exception:  # noqa: BLE001  # of many kinds
        raise ValueError(f"is no {label} that can be read; perhaps a part is missing") from None
    return _checked(key)


def _from_der(der: bytes) -> str:
    for load in (load_der_public_key, lambda der: x509.load_der_x509_certificate(der).public_key()):
        try:
            key = load(der)
        except Exception:  # noqa: BLE001, S112  # of many kinds, and the next way is tried
            continue
        return _checked(key)
    raise ValueError("is no public key: neither PEM nor the base64 of a key or a certificate")


def _checked(key: object) -> str:
    usable = isinstance(key, RSAPublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    )
    if not usable or not isinstance(key, (RSAPublicKey, EllipticCurvePublicKey)):
        raise ValueError("is a key of another kind; only RSA and P-256 (ES256) are known")
    if isinstance(key, RSAPublicKey) and is_short(key):
        raise ValueError(
            f"is an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are needed at least"
        )
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
