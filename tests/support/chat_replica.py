"""A client's copy of one chat, kept by the rules that docs/events.md gives to clients."""

from typing import Any


class ChatReplica:
    """Pages and pushes in, the chat as this client would show it out.

    What has a number up to the cursor is known; the next number is applied; a gap stops everything
    until a page has filled it.
    """

    def __init__(self) -> None:
        self.cursor: int | None = None
        self.gap = False
        self.messages: dict[int, dict[str, Any]] = {}
        self.people: dict[Any, str] = {}
        self.title: str | None = None

    def apply_page(self, page: dict[str, Any]) -> None:
        if page["reset"] or self.cursor is None:
            self.messages.clear()
        for message in page["messages"]:
            known = self.messages.get(message["id"])
            if known is None or known["updatedSeq"] <= message["updatedSeq"]:
                self.messages[message["id"]] = message
        if "participants" in page:
            self.people = {each["userId"]: each["role"] for each in page["participants"]}
        if "chat" in page:
            self.title = page["chat"]["title"]
        self.cursor = page["toSeq"]
        self.gap = page["hasMore"]

    def apply_event(self, name: str, event: dict[str, Any]) -> None:
        if self.cursor is None or event["seq"] <= self.cursor or self.gap:
            return
        if event["seq"] > self.cursor + 1:
            self.gap = True
            return
        self.cursor = event["seq"]
        if name in ("newMessage", "messageUpdated"):
            self.messages[event["message"]["id"]] = event["message"]
        elif name == "messageDeleted":
            known = self.messages[event["messageId"]]
            gone = {"message": "", "updatedSeq": event["seq"], "deletedAt": event["timestamp"]}
            self.messages[event["messageId"]] = known | gone
        elif name in ("participantAdded", "participantUpdated"):
            person = event["participant"]
            self.people[person["userId"]] = person["role"]
        elif name == "participantRemoved":
            self.people.pop(event["participantId"], None)
        elif name == "chatUpdated":
            self.title = event["chat"]["title"]

    def shown(self) -> dict[str, Any]:
        """What two copies of the same chat must agree on."""
        return {
            "cursor": self.cursor,
            "title": self.title,
            "people": dict(sorted(self.people.items())),
            "messages": [
                (
                    each["id"],
                    each["seq"],
                    each["updatedSeq"],
                    each["message"],
                    bool(each["deletedAt"]),
                )
                for each in sorted(self.messages.values(), key=lambda each: each["seq"])
            ],
        }
