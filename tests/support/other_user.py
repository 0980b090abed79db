"""What another user of this machine can do to a store: tried as that user, by a process of its
own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
ATTEMPTS = """
import json, os, socket, sys
from pathlib import Path
import pymongo

folder, uri, files = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
client = pymongo.MongoClient(uri, timeoutMS=700, serverSelectionTimeoutMS=700)
chats = client.get_default_database()["notes"]
admin = client.admin
here = str(folder / "store.sock")
os.setgroups([])
os.setgid(NOBODY)
os.setuid(NOBODY)


def squat():
    os.unlink(here)
    socket.socket(socket.AF_UNIX).bind(here)


attempts = {
    "find": lambda: chats.find_one(),
    "insert": lambda: chats.insert_one({"_id": "forged"}),
    "listDatabases": lambda: client.list_database_names(),
    "serverStatus": lambda: admin.command("serverStatus"),
    "createUser": lambda: admin.command("createUser", "eve", pwd="x", roles=["root"]),
    "dropDatabase": lambda: client.drop_database(chats.database.name),
    "buildInfo": lambda: admin.command("buildInfo"),
    "connect": lambda: socket.socket(socket.AF_UNIX).connect(here),
    "squat": squat,
    "squat beside": lambda: socket.socket(socket.AF_UNIX).bind(here + "2"),
    "rename": lambda: folder.rename(folder.with_name("mine")),
    "list": lambda: os.listdir(folder),
}
for name in files:
    attempts["read " + name] = lambda name=name: open(name, "rb").read()
    attempts["write " + name] = lambda name=name: open(name, "ab")
done = {}
for name, attempt in attempts.items():
    try:
        attempt()
        done[name] = "done"
    except (OSError, pymongo.errors.PyMongoError) as error:
        done[name] = str(error)[:80]
print(json.dumps(done))
""".replace("NOBODY", str(NOBODY))


def may_be_another() -> bool:
    """Only root can become another user."""
    return os.geteuid() == 0


def attempts_of_another(folder: Path, uri: str) -> dict[str, str]:
    """Everything that was tried, each with "done" or with what stood in the way."""
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    tried = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(folder), uri, json.dumps(files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    found: dict[str, str] = json.loads(tried.stdout)
    return found
