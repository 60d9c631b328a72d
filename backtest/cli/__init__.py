"""The command line: ``backtest COMMAND ...``, one short file a command.

Data goes to standard output, progress and errors to standard error.  Exit status: 0 fine, 1 a
finding or an error in the data, 2 wrong use, 130 interrupted, 141 the reader went away.
Importing this package imports nothing heavy: what a command needs, it imports when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status."""
    sys.exit(status_of(sys.argv[1:] if arguments is None else arguments))


def status_of(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; errors are printed, not raised."""
    from backtest.cli import context, errors
    from backtest.cli.app import INTERRUPTED, run_app
    from db.errors import BacktestError, DataError

    debug = "--debug" in arguments
    try:
        status = run_app(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        errors.say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more at exit; that must not meet the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except BacktestError as error:
        if debug:
            raise
        errors.show(error)
        return error.exit_status
    except OSError as error:
        # A full disk, a folder that may not be written to: the machine's answer, not a bug.
        if debug or error.strerror is None:
            raise
        errors.show(DataError(error.strerror.lower(), where=str(error.filename or "")))
        return 1
    finally:
        # The options of one call are none of the next in the same process.
        context.settings.store = context.settings.bars = None
    return status
