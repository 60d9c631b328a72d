"""Errors on screen: what happened, where, and what to try; in red where there is colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from backtest.cli.words import printable
from db.errors import BacktestError, UsageError

if TYPE_CHECKING:
    import typer


def _console() -> Console:
    # Paths and values must stay in one piece to be copied: no wrapping, no highlighting.
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """One plain line on standard error."""
    _console().print(Text(printable(message)))


def show(error: BacktestError) -> None:
    """Print an error without a traceback."""
    console = _console()
    head = Text("error: ", style="bold red")
    if error.where:
        head.append(f"{printable(error.where)}: ", style="red")
    console.print(head.append(printable(error.what), style="red"))
    if error.hint:
        console.print(Text(f"  try: {printable(error.hint)}"))


def from_parser(error: typer.TyperException) -> BacktestError:
    """What the parser of options refuses, in the form of every other error."""
    message = error.format_message().rstrip(".")
    near = getattr(error, "possibilities", None)
    context = getattr(error, "ctx", None)
    if near:
        message = error.message
        hint = "did you mean " + " or ".join(repr(name) for name in sorted(near)) + "?"
    elif "Did you mean" in message:
        message, _, rest = message.partition(". Did you mean ")
        hint = f"did you mean {rest}"
    else:
        hint = f"{context.command_path} --help" if context else "backtest --help"
    return UsageError(message[:1].lower() + message[1:], hint=hint)
