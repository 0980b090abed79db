"""Where a request may carry its token, and how the token may be spelt there.

The rules are the same for the socket, for REST and for `authenticate`.
"""


def spelt(value: object) -> object:
    """The token in a field: without blanks around it and without a `Bearer` in front of it.

    A value of another type is returned as it is; `Authenticator` refuses it.
    """
    if not isinstance(value, str):
        return value
    bearer = in_header(value)
    return value.strip() if bearer is None else bearer


def in_header(authorization: str) -> str | None:
    """The token in an Authorization header (RFC 6750), or None where the scheme is another one."""
    scheme, *rest = authorization.split(None, 1) or [""]
    if scheme.lower() != "bearer":
        return None
    return rest[0].strip() if rest else ""


def first_given(*places: object) -> object:
    """The token in the first place that has one. Null and a blank text are no token.

    A later place is not tried when the token in an earlier one is bad.
    """
    for value in places:
        token = spelt(value)
        if token is not None and token != "":
            return token
    return None
