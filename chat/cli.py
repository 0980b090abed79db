"""The command line: serve, token, check, specs.

Every failure of set-up is one sentence on stderr and exit code 1.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from chat import __version__
from chat.app import ChatApp
from chat.auth import mint
from chat.clock import SystemClock
from chat.errors import SetupError
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.hooks.plugin import Plugin, settings_prefix
from chat.hooks.specs import register_events, register_routes
from chat.identity import is_tenant, parse_user_id
from chat.last_resort import LastResort
from chat.logs.output import guard_stderr, guard_stdout, keep_standard_files
from chat.logs.setup import LineLogger, configure_logging, keep_configuration
from chat.repositories.embedded import require_store
from chat.services.demo import demo_secret
from chat.settings import Settings, load_settings
from chat.settings.environment import (
    add_env_file,
    read_env_file,
    set_names,
    unread_names,
    wrapped_in,
)
from chat.specs.documents import Documents

CLIENTS_WITHIN_S: Final = 3.0
"""How long clients and plugins get after SHUTDOWN_GRACE_S, until the process ends by force."""

STORE_WITHIN_S: Final = 8.0
"""How long the store gets after that; the embedded store is killed after 5 s."""

LEFT_WITHIN_S: Final = 1.0
"""How long tasks and threads that plugins left running get after that."""

_log = structlog.get_logger("chat.cli")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    keep_standard_files()
    guard_stderr()
    # Only the answer of a command goes to stdout.
    structlog.configure(logger_factory=lambda *_: LineLogger(sys.stderr))
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.env_file is not None:
            add_env_file(options.env_file)
        return int(options.run(options, load_settings()))
    except SetupError as error:
        print(f"chatgateway: {error}", file=sys.stderr)  # noqa: T201  # the answer of a command
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="ChatGateway: real-time chat beside your own application."
    )
    parser.add_argument("--version", action="version", version=f"chatgateway {__version__}")
    parser.set_defaults(run=_serve)
    _take_env_file(parser, default=None)
    commands = parser.add_subparsers(title="commands", metavar="")
    serve = commands.add_parser("serve", help="start the server (also without a command)")
    serve.set_defaults(run=_serve)
    token = commands.add_parser("token", help="print a token for development")
    token.add_argument("--user", required=True, help="user id: an integer or a string")
    token.add_argument("--type", default="employee", help="admin, employee, bot, service, ...")
    token.add_argument("--name", help="the name that others see")
    token.add_argument("--role", help="the host application's word for what the user is")
    token.add_argument("--tenant", default="", help="the tenant of the user")
    token.add_argument("--hours", type=float, default=12.0, help="how long it is valid (12)")
    token.set_defaults(run=_token)
    check = commands.add_parser("check", help="print the effective settings and plugins")
    check.set_defaults(run=_check)
    specs = commands.add_parser("specs", help="write openapi.json and asyncapi.json")
    specs.add_argument("folder", type=Path, help="where to write them")
    specs.set_defaults(run=_specs)
    for command in (serve, token, check, specs):
        # Otherwise a command without the option would drop an option given before it.
        _take_env_file(command, default=argparse.SUPPRESS)
    return parser


def _take_env_file(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        default=default,
        help="read variables from FILE, as systemd's EnvironmentFile does",
    )


def _serve(_options: argparse.Namespace, settings: Settings) -> int:
    guard_stdout()
    configure_logging(settings.log_level, settings.log_format)
    return asyncio.run(_serve_with(settings))


async def _serve_with(settings: Settings) -> int:
    app = ChatApp(settings)
    for doubt in _doubts(settings, app.hooks.plugins.values()):
        _log.warning("setting_doubtful", what=doubt)
    return await serve_until_signal(app)


async def serve_until_signal(app: ChatApp) -> int:
    """Run the server until a signal or the loss of its database; return the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    last_resort = LastResort(app.watchdog)
    grace_s = app.settings.shutdown_grace_s

    asked = False

    def on_signal(*_: Any) -> None:
        # This may run at any moment, also while a plugin blocks the loop.
        nonlocal asked
        if not asked:
            asked = True
            last_resort.within(grace_s + CLIENTS_WITHIN_S, 1)
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup SIGHUP is ignored; otherwise it says that the terminal was closed.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    starting = loop.create_task(app.start())
    stopping = loop.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        keep_configuration()
        _tame_collector()
        _greet(app)
        losing = loop.create_task(app.lost.wait())
        await asyncio.wait([stopping, losing], return_when=asyncio.FIRST_COMPLETED)
    else:
        starting.cancel()
        await asyncio.wait([starting])
    exit_code = 1 if app.lost.is_set() else 0
    await app.drain()
    last_resort.within(STORE_WITHIN_S, exit_code)
    await app.stop()
    last_resort.within(LEFT_WITHIN_S, exit_code)
    return exit_code


def _tame_collector() -> None:
    """Freeze the objects of the start, so that no collection walks them, and collect rarely.

    The objects of an event are freed with their last reference, so that a collection after every
    700 of them, the default, finds next to nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _greet(app: ChatApp) -> None:
    lines = [f"ChatGateway is at {app.parts.url}"]
    if app.parts.everywhere:
        lines.append(f"It listens on all {app.parts.everywhere} addresses of this machine.")
    if app.settings.demo_mode:
        lines.append(
            "Demo mode: whoever is on this machine gets a token. Set JWT_SECRET for your own."
        )
    print("\n".join(lines), flush=True)  # noqa: T201  # for the person who started it


def _token(options: argparse.Namespace, settings: Settings) -> int:
    user_id = parse_user_id(options.user)
    if user_id is None:
        raise SetupError("--user must be a non-negative integer or a string of 1 to 64 characters.")
    if not is_tenant(options.tenant):
        raise SetupError("--tenant must be a string of 1 to 64 printable characters.")
    if not 0 < options.hours <= 24 * 366:
        raise SetupError("--hours must be above 0 and at most a year.")
    if settings.jwt_secret is None and not settings.demo_mode:
        raise SetupError("tokens are signed by your application's own key; set JWT_SECRET to mint.")
    if settings.secrets:
        secret = settings.secrets[0]
        of_file = options.env_file and "JWT_SECRET" in read_env_file(options.env_file)
        source = f"JWT_SECRET of {options.env_file if of_file else 'the environment'}"
    else:
        secret = demo_secret(settings.data_dir)
        source = f"demo mode's secret in DATA_DIR ({settings.data_dir}), since JWT_SECRET is unset"
    token, _ = mint(
        secret,
        user_id,
        user_type=options.type,
        clock=SystemClock(),
        valid_s=options.hours * 3600,
        audience=settings.jwt_audience,
        issuer=settings.jwt_issuer,
        name=options.name,
        role=options.role,
        tenant=options.tenant or None,
    )
    _answer(token)
    _warn(_doubts(settings))
    print(f"chatgateway: signed with {source}.", file=sys.stderr)  # noqa: T201  # beside the answer
    return 0


def _check(_options: argparse.Namespace, settings: Settings) -> int:
    if settings.mongodb_uri is None:
        require_store()
    plugins = load_plugins(settings.plugins)
    manager = PluginManager(plugins)
    lines = [f"{name.upper()}={_shown(value)}" for name, value in settings]
    lines.append("")
    for name, plugin in manager.plugins.items():
        hooks = [impl.hook.name for impl in manager.impls() if impl.plugin == name]
        lines.append(f"plugin {name}: {', '.join(hooks) or 'no hooks'}")
        lines += [
            f"  CHAT_{name}_{field}".upper() + f"={_shown(value)}"
            for field, value in plugin.settings
        ]
    _answer("\n".join(lines))
    _warn(_doubts(settings, plugins))
    return 0


def _specs(options: argparse.Namespace, settings: Settings) -> int:
    documents = asyncio.run(documents_of(settings, PluginManager(load_plugins(settings.plugins))))
    try:
        written = documents.write(options.folder)
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written: {error.strerror}.") from None
    _answer("\n".join(str(each) for each in written))
    return 0


async def documents_of(settings: Settings, hooks: PluginManager) -> Documents:
    """Make the specifications of a server with these settings and plugins."""
    events = await hooks.collect(register_events)
    return Documents(settings, events, await hooks.collect(register_routes))


def _doubts(settings: Settings, plugins: Iterable[Plugin] | None = None) -> list[str]:
    """Write a sentence for each setting that the operator probably did not mean.

    Without `plugins` it does not check variables that begin with CHAT_.
    """
    said = [
        f"{name.upper()} has {around} around it, which the server takes for a part of it."
        for name, secret in settings.named_secrets
        if (around := wrapped_in(secret)) is not None
    ]
    known = {name.upper() for name in Settings.model_fields}
    for plugin in plugins or ():
        prefix = settings_prefix(plugin.name)
        known |= {f"{prefix}{field.upper()}" for field in plugin.Settings.model_fields}
    for name, meant in unread_names(set_names(), known).items():
        if plugins is not None or not name.startswith("CHAT_"):
            hint = f" Did you mean {meant}?" if meant else ""
            said.append(f"{name} is set, and neither the server nor a plugin reads it.{hint}")
    return said


def _warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        print(f"chatgateway: warning: {sentence}", file=sys.stderr)  # noqa: T201


def _answer(text: str) -> None:
    """Print the answer of a command; SetupError where it cannot be written."""
    try:
        print(text, flush=True)  # noqa: T201  # the answer of a command
    except OSError as error:
        # Otherwise the flush at the end of the process would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SetupError(f"the answer cannot be written to stdout: {error.strerror}.") from None


def _shown(value: Any) -> str:
    """Spell a setting as the environment does; pydantic masks secrets by itself."""
    if value is None:
        return "(unset)"
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value) or "(none)"
    return str(value)
