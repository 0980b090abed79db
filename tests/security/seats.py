"""Who may do what by a seat: rows of the table of authorization, asked again."""

from typing import Final

SITTERS: Final = {
    "elsewhere": {"invoice-*": "moderator"},
    "spectator": {"order-*": "readonly"},
    "worker": {"order-*": "member"},
    "chair": {"order-*": "moderator"},
}
"""Users of no chat whose tokens give seats: the first of them none in the chats of the table."""

# fmt: off
#                                            elsewhere spectator worker chair
BY_SEAT: Final[dict[str, dict[str, str]]] = {
    "events": {
        "join another chat":                       "np ok ok ok",
        "join another chat by its externalRef":    "nf ok ok ok",
        "join by a missing externalRef":           "nf nf nf nf",
        "join":                                    "np np np np",
        "leave the room of another chat":          "np ok ok ok",
        "send to another chat":                    "np no ok ok",
        "edit another chat's message":             "nf no no no",
        "delete another chat's message":           "nf no no ok",
        "type in another chat":                    "np ok ok ok",
        "mark as read in another chat":            "np ok ok ok",
        "catch up with another chat":              "np ok ok ok",
        "catch up with one chat":                  "np np np np",
    },
    "routes": {
        "send to another chat":                    "np no 201 201",
        "page":                                    "np np np np",
        "page of another chat":                    "np 200 200 200",
        "read a message":                          "nf nf nf nf",
        "read another chat's message":             "nf 200 200 200",
        "earlier texts of another chat's message": "nf 200 200 200",
        "edit another chat's message":             "nf no no no",
        "delete another chat's message":           "nf no no 200",
        "make a chat with an externalRef":         "no no no no",
        "join by externalRef":                     "nf 200 200 200",
        "join by a missing externalRef":           "nf nf nf nf",
        "see the chat":                            "np np np np",
        "see another chat":                        "np 200 200 200",
        "change another chat":                     "np no no no",
        "delete another chat":                     "np no no no",
        "list people of another chat":             "np 200 200 200",
        "add to another chat":                     "np no no 201",
        "come in":                                 "np no no no",
        "change a role in another chat":           "np no no 200",
        "remove from another chat":                "np no no 200",
        "leave another chat":                      "np nf nf nf",
        "how far all have read in another chat":   "np 200 200 200",
        "catch up with another chat":              "np 200 200 200",
        "catch up with several of others":         "np 200 200 200",
        "refresh the seats":                       "no no no no",
    },
}
"""Rows of EVENTS and ROUTES again, and the answers to SITTERS, in their order."""
# fmt: on
