"""schemathesis asks a server what its OpenAPI document describes, and finds nothing."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

ENOUGH = 10_000_000
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS", "25"))
# A service that creates a chat is no participant, so it cannot leave; our own check does the other.
LEFT_OUT = "ensure_resource_availability,positive_data_acceptance"


@pytest.mark.timeout(SECONDS * 4 + 60)
@pytest.mark.gen_test(timeout=SECONDS * 4 + 60)
async def test_schemathesis_finds_nothing(serve, tmp_path):
    """No 5xx; statuses, types and shapes as described; bad input refused, and good input not."""
    generous = {"max_refused_per_min": ENOUGH, "max_failed_tokens_per_min": ENOUGH}
    async with serve(**generous) as chat:
        chat_id = await chat.create_chat([1, 2, "crm"])
        for text in ("one", "two"):
            await chat.request("POST", "/chat-messages", json={"chatId": chat_id, "content": text})
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("st"),
            *("run", f"{chat.url}/openapi.json", "--max-time", str(SECONDS), "--no-color"),
            *("--header", f"Authorization: Bearer {chat.token('crm', 'service')}"),
            *("--exclude-checks", LEFT_OUT, "--generation-database", "none"),
            cwd=tmp_path,
            env=os.environ
            | {"SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
