# SPDX-License-Identifier: BSD-3-Clause
"""The command ``spinodal``: what it is told, done with the package's public names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from spinodal.cli.parser import build_parser

_INTERRUPTED = 130
_BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 if all is well, 1 if a check failed, 2 for bad input (one line on the standard error), 130 after Ctrl-C.
    """
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        arguments.command = "version"
    if arguments.command is None:
        parser.print_help()
        return _BAD_INPUT
    command = importlib.import_module(f"spinodal.cli.{arguments.command}")
    try:
        code: int = command.run(arguments)
    except KeyboardInterrupt:
        print("spinodal: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        if not _has_plain_message(error):
            raise
        print(f"spinodal {arguments.command}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return _BAD_INPUT
    return code


def _has_plain_message(error: Exception) -> bool:
    """Tell an error whose message is for the user from a bug, whose traceback is for us."""
    from spinodal.backends.resolve import BackendUnavailableError
    from spinodal.samplers.divergence import DivergedError

    plain = ValueError | OSError | ImportError | MemoryError | BackendUnavailableError | DivergedError
    return isinstance(error, plain)
