"""The specifications are valid, complete, and describe the server that answers them."""

import asyncio
import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel
from typing_extensions import TypedDict

from chat.cli import documents_of
from chat.contracts.operations import CLIENT_EVENTS, ROUTES
from chat.contracts.pushes import SERVER_EVENTS
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    ClientEvent,
    Plugin,
    Route,
    hookimpl,
    register_events,
    register_routes,
)
from chat.settings import DEFAULT_PLUGINS, load_settings
from chat.specs.openapi import path_template
from chat.specs.schemas import public_name
from tests.support.docs_node import needs_node
from tests.support.markdown import ROOT
from tools.examples import TARGET, written
from tools.types import write_types

SECRET = "a-secret-of-the-tests-that-is-long-enough"


def documents(**settings):
    """Those of a server with the built-in plugins."""
    loaded = load_settings(**settings)
    return asyncio.run(documents_of(loaded, PluginManager(load_plugins(DEFAULT_PLUGINS))))


DOCUMENTS = documents(jwt_secret=SECRET)
OPENAPI = json.loads(DOCUMENTS.openapi.body)
ASYNCAPI = json.loads(DOCUMENTS.asyncapi.body)
COMPONENTS = {
    "schemas": OPENAPI["components"]["schemas"] | ASYNCAPI["components"]["schemas"],
}
MESSAGES = ASYNCAPI["channels"]["chat"]["messages"]


def contents():
    """(place, schema, example) of each body and answer of the routes, and each message."""
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                for content in body.get("content", {}).values():
                    yield f"{method} {path}", content["schema"], content.get("example")
    for name, message in MESSAGES.items():
        for example in message.get("examples", []):
            yield name, message["payload"], example["payload"]


def test_the_openapi_document_is_valid():
    """The validator of the OpenAPI initiative's schema has nothing to say."""
    assert list(OpenAPIV31SpecValidator(OPENAPI).iter_errors()) == []


@needs_node
def test_the_asyncapi_document_is_valid(tmp_path):
    """The official parser reads it, and finds no error and no warning."""
    DOCUMENTS.write(tmp_path)
    script = ROOT / "tests" / "js" / "asyncapi.mjs"
    command = ["node", script, tmp_path / "asyncapi.json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {"parsed": True, "found": []}


def test_examples_are_valid_against_their_schemas():
    """Each example is what its schema describes."""
    tried = 0
    for place, schema, example in contents():
        if example is not None:
            tried += 1
            validator = jsonschema.Draft202012Validator(schema | {"components": COMPONENTS})
            faults = [each.message for each in validator.iter_errors(example)]
            assert not faults, (place, faults)
    assert tried > 80


def test_the_documents_have_every_operation():
    """All routes, client events and pushes, those of the built-in plugins included."""
    served = {
        f"{method.upper()} {path}"
        for path, methods in OPENAPI["paths"].items()
        for method in methods
    }
    own = {path_template(name) for name in ROUTES if "/demo" not in name}
    assert served == own | {"GET /health/live", "GET /health/ready"}
    assert set(ASYNCAPI["operations"]) == {*CLIENT_EVENTS, "ping", *SERVER_EVENTS}


def test_a_demo_server_describes_its_demo_routes():
    """/demo is there only where it is served."""
    assert "/demo" not in OPENAPI["paths"]
    assert "/demo/token" in json.loads(documents().openapi.body)["paths"]


def test_no_two_types_have_one_name():
    """`Message` is MessageModel, and nothing else."""
    kinds = [route.answer for route in ROUTES.values()] + list(SERVER_EVENTS.values())
    kinds += [each.ack for each in CLIENT_EVENTS.values()]
    kinds += [each.model for each in CLIENT_EVENTS.values()]
    kinds += [route.body for route in ROUTES.values() if route.body is not None]
    by_name = {}
    for kind in kinds:
        assert by_name.setdefault(public_name(kind.__name__), kind) is kind
    assert by_name.keys() <= ASYNCAPI["components"]["schemas"].keys()


def test_the_limits_are_those_of_the_settings():
    """A client reads them from the document."""
    told = json.loads(documents(jwt_secret=SECRET, max_content_chars=7).openapi.body)
    assert told["components"]["schemas"]["SendMessage"]["properties"]["content"]["maxLength"] == 7


def test_the_servers_know_the_public_path():
    """Behind a prefix, the routes begin with it."""
    told = documents(jwt_secret=SECRET, public_path="/im")
    assert json.loads(told.openapi.body)["servers"] == [{"url": "/im"}]
    own = json.loads(told.asyncapi.body)["servers"]["own"]
    assert own["pathname"] == "/im/socket.io/"


class Order(BaseModel):
    number: int


class Report(TypedDict):
    total: int


class Shop(Plugin):
    """Brings an event and a route, with their types."""

    name = "shop"

    @hookimpl(register_events)
    async def events(self, _start):
        return [ClientEvent(name="order", handler=self.order, model=Order, ack=Report)]

    @hookimpl(register_routes)
    async def routes(self, _start):
        return [
            Route(
                method="POST", path="/orders", handler=self.order, body=Order, answers={201: Report}
            )
        ]

    async def order(self, *_):
        """Never called."""


async def test_a_server_answers_both_with_what_its_plugins_bring(serve):
    """Without a token, with an ETag, for other origins too."""
    async with serve(plugins=[Shop()], cors_origins="https://crm.example.com") as chat:
        origin = {"Origin": "https://crm.example.com"}
        openapi = await chat.request("GET", "/openapi.json", None, headers=origin)
        asyncapi = await chat.request("GET", "/asyncapi.json", None)
        etag = {"If-None-Match": openapi.headers["ETag"]}
        again = await chat.request("GET", "/openapi.json", None, headers=etag)
    assert (openapi.status, asyncapi.status, again.status, again.body) == (200, 200, 304, b"")
    assert openapi.headers["Access-Control-Allow-Origin"] == "https://crm.example.com"
    assert openapi.headers["Cache-Control"] == "no-cache"
    assert openapi.headers["Vary"] == asyncapi.headers["Vary"] == again.headers["Vary"] == "Origin"
    orders = openapi.body["paths"]["/orders"]["post"]
    schema = {"$ref": "#/components/schemas/shop.Report"}
    assert orders["responses"]["201"]["content"]["application/json"]["schema"] == schema
    assert openapi.body["components"]["schemas"]["shop.Order"]["required"] == ["number"]
    assert asyncapi.body["operations"]["order"]["reply"]["messages"]
    assert asyncapi.body["components"]["schemas"]["shop.Report"]["properties"]["total"]


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_a_plugin_cannot_take_the_path_of_a_document(serve, path):
    """The server does not start with a route that is its own."""

    class Taker(Plugin):
        name = "taker"

        @hookimpl(register_routes)
        async def routes(self, _start):
            return [Route(method="GET", path=path, handler=self.routes)]

    with pytest.raises(Exception, match="taken by the server itself"):
        async with serve(plugins=[Taker()]):
            pass


def test_the_examples_are_those_of_the_pages():
    """`python -m tools.examples` would change nothing."""
    assert TARGET.read_text() == written(), "run: python -m tools.examples"


@needs_node
def test_the_typescript_types_are_those_of_the_documents(tmp_path):
    """`python -m tools.types` would change nothing."""
    write_types(tmp_path / "wire.d.ts")
    kept = Path(ROOT / "client" / "src" / "wire.d.ts").read_text()
    assert kept == (tmp_path / "wire.d.ts").read_text(), "run: python -m tools.types"
