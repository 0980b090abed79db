"""The places of a token in a request, and its spellings there.

The rules are the same for the socket, for REST and for `authenticate`.
"""


def spelt(value: object) -> object:
    """Return the token in a field, without the blanks around it and a `Bearer` in front of it.

    A value that is no text is returned as it is; `Authenticator` refuses it.
    """
    if not isinstance(value, str):
        return value
    bearer = in_header(value)
    return value.strip() if bearer is None else bearer


def in_header(authorization: str) -> str | None:
    """Return the token in an Authorization header (RFC 6750); None for another scheme."""
    scheme, *rest = authorization.split(None, 1) or [""]
    if scheme.lower() != "bearer":
        return None
    return rest[0].strip() if rest else ""


def first_given(*places: object) -> object:
    """Return the token in the first place that has one; null and a blank text are no token.

    A later place is not tried if the token in an earlier place is bad.
    """
    for value in places:
        token = spelt(value)
        if token is not None and token != "":
            return token
    return None
