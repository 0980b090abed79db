"""The epoch: a random word that names one unbroken life of the database.

Clients keep it beside their cursors. A database that was restored from a backup has lost numbers
that clients have seen, so it starts a new epoch, and every client loads anew. A counter of starts,
kept in the database and in DATA_DIR, detects that: a database whose counter is behind that of
the folder was restored.
"""

import json
import secrets
from pathlib import Path
from typing import Any, Final

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument

from chat.data_dir import write_private
from chat.errors import SetupError
from chat.repositories.documents import Document

FILE: Final = "starts.json"
ID_LEAP: Final = 1_000_000
"""Skips the ids given since the backup: clients know messages by id, so no id is given twice."""

MAX_PAST: Final = 100

_log = structlog.get_logger("chat.store")


async def open_epoch(database: AsyncIOMotorDatabase[Document], folder: Path) -> str:
    """Count this start and return the epoch, a new one if the database was restored."""
    document: Any = await database.meta.find_one_and_update(
        {"_id": "epoch"},
        {"$inc": {"starts": 1}, "$setOnInsert": {"value": secrets.token_hex(8)}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    epoch, starts = document["value"], document["starts"]
    known = _read(folder)
    past = known.get("past", [])
    # A database behind the folder, or of an epoch that the folder has left, was restored.
    behind = known.get("epoch") == epoch and known["starts"] >= starts
    if behind or epoch in past:
        past = [*past, known["epoch"]]
        epoch, starts = secrets.token_hex(8), max(known["starts"], starts) + 1
        for sequence in ("messages", "chats"):
            # The leap grows each time, since the same backup may be restored again.
            await database.counters.update_one(
                {"_id": sequence}, {"$inc": {"next": len(past) * ID_LEAP}}, upsert=True
            )
        await database.meta.update_one(
            {"_id": "epoch"}, {"$set": {"value": epoch, "starts": starts}}
        )
        _log.warning("database_was_restored", new_epoch=epoch)
    _write(folder, {"epoch": epoch, "starts": starts, "past": past[-MAX_PAST:]})
    return str(epoch)


def _read(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return {}
    fits = isinstance(known, dict) and isinstance(known.get("starts"), int) and "epoch" in known
    return known if fits else {}


def _write(folder: Path, known: dict[str, Any]) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / FILE, json.dumps(known))
    except OSError as error:
        raise SetupError(
            f"DATA_DIR {folder} cannot be written ({error.strerror}); "
            "set DATA_DIR to a folder of yours."
        ) from None
