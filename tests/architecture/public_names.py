# SPDX-License-Identifier: BSD-3-Clause
"""Every public name with its signature, one a line.

    python tests/architecture/public_names.py --update

writes them to ``public_names.txt``, beside this file. A test compares: a change of the interface is
then a change of that file, to be seen and reviewed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import spinodal

SNAPSHOT = Path(__file__).with_name("public_names.txt")
UPDATE = "python tests/architecture/public_names.py --update"


def signature(value: Any) -> str:
    """Parameters and result as written in the source."""
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""


def members(name: str, cls: type) -> Iterator[str]:
    """Public methods and properties a class defines or inherits from this package."""
    for attribute in sorted(
        {key for base in cls.__mro__ if base.__module__.startswith("spinodal") for key in vars(base)}
    ):
        if attribute.startswith("_") or attribute in getattr(cls, "__dataclass_fields__", {}):
            continue  # private, or a parameter that the signature has already
        value = inspect.getattr_static(cls, attribute)
        if isinstance(value, property) or not callable(getattr(cls, attribute)):
            yield f"{name}.{attribute}"
        else:
            yield f"{name}.{attribute}{signature(getattr(cls, attribute))}"


def describe(name: str, value: Any) -> Iterator[str]:
    """Return the lines of one public name."""
    if isinstance(value, ModuleType):
        for inner in sorted(value.__all__):
            yield from describe(f"{name}.{inner}", getattr(value, inner))
    elif isinstance(value, type):
        yield f"{name}{signature(value)}"
        yield from members(name, value)
    elif callable(value):
        yield f"{name}{signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def public_names() -> str:
    """Return all lines, as the snapshot has them."""
    return "\n".join(describe("spinodal", spinodal)) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        SNAPSHOT.write_text(public_names())
    else:
        sys.stdout.write(public_names())
