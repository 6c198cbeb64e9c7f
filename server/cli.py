"""The command line: ``shopbell``. Every command works beside a running server."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from server.commands import (
    check,
    corrections,
    exports,
    imports,
    people,
    privacy,
    reports,
    rescore,
    rules,
    serve,
    shop,
    sources,
    tokens,
    upkeep,
)
from server.domain.errors import AppError

# In the order of --help.
GROUPS = (
    serve,
    shop,
    people,
    tokens,
    sources,
    rules,
    upkeep,
    check,
    imports,
    exports,
    rescore,
    privacy,
    reports,
    corrections,
)


def _assembled() -> typer.Typer:
    app = typer.Typer(
        name="shopbell",
        help="Customer-service chat for web shops / 网店客服与工单助手",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for group in GROUPS:
        group.add_to(app)
    return app


app = _assembled()


def main() -> None:
    """Runs a command; a failure is one clear line on stderr and a status that is not 0."""
    try:
        status = app(standalone_mode=False)
    except TyperException as error:
        _misused(error)
    except typer.Abort:
        sys.exit(130)
    except AppError as error:
        _fail(error.message)
    except OSError as error:
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}")
    sys.exit(status if isinstance(status, int) else 0)


def _misused(error: TyperException) -> NoReturn:
    """Ends a command that was called wrongly; without any arguments the help is the answer."""
    message = error.format_message()
    if "\n" in message:
        sys.stderr.write(message + "\n")
    else:
        sys.stderr.write(f"shopbell: {message} Try --help.\n")
    sys.exit(2)


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"shopbell: {message}\n")
    sys.exit(1)
