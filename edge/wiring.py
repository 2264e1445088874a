"""What every table of seal.toml is made of: exact, strict, frozen; and the values they share.

Strict, because TOML has types: `unit = true` is not unit 1 and `port = "502"` is a slip.
"""

from __future__ import annotations

import re
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from edge.errors import Unfit

_T = TypeVar("_T")
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_][\w-]{0,62}(\.[\w-]{1,63})*\.?", re.ASCII)
_MAX_PATH = 1024
MAX_LINE = 1024  # tomllib takes longer with every dot in a key


class Spec(BaseModel):
    """Wiring is exact: an unknown key is a fault, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Many = Annotated[tuple[_T, ...], Field(strict=False)]  # a TOML array becomes a tuple


def form(pattern: str, remedy: str) -> AfterValidator:
    """A validator of text that must match `pattern` as a whole; `remedy` says it in words."""
    compiled = re.compile(pattern, re.ASCII)

    def validate(text: str) -> str:
        if not compiled.fullmatch(text):
            raise Unfit(f"is {text[:60]!r}", remedy)
        return text

    return AfterValidator(validate)


Code = Annotated[
    str,
    form(
        r"[a-z0-9][a-z0-9-]{0,31}",
        "use 1 to 32 small letters, digits and hyphens, beginning with a letter or a digit",
    ),
]


def platform_code(digits: int) -> AfterValidator:
    """A code of the regional platform: exactly so many digits, or nothing."""
    return form(rf"(\d{{{digits}}})?", f"write the platform's {digits} digits, or leave it out")


def _host(text: str) -> str:
    remedy = "write a name or an address alone; the port is a key of its own"
    try:
        ip_address(text)
    except ValueError:
        if not _HOST_NAME.fullmatch(text):
            raise Unfit(f"is {text[:60]!r}", remedy) from None
    return text


Host = Annotated[str, AfterValidator(_host)]


def _path(value: object) -> object:
    if isinstance(value, str):
        if not value or "\0" in value:
            raise Unfit(f"is {value[:60]!r}", "name a path")
        if len(value.encode()) > _MAX_PATH:
            raise Unfit(f"is longer than {_MAX_PATH} bytes", "name a shorter path")
    return value


FilePath = Annotated[Path, Field(strict=False), BeforeValidator(_path)]


def tables(raw: bytes, max_bytes: int, what: str) -> dict[str, Any]:
    """TOML tables from bytes that may be anything, in bounded time.

    Raises:
        Unfit: not TOML, or larger than `max_bytes`; the remedy names `what` it should be.
    """
    if len(raw) > max_bytes:
        raise Unfit(f"is larger than {max_bytes // 1024} KiB", f"name {what}")
    longest = max(map(len, raw.split(b"\n")))
    if longest > MAX_LINE:
        raise Unfit(f"has a line of {longest} bytes", f"break lines longer than {MAX_LINE} bytes")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))  # editors on Windows write a byte order mark
    except UnicodeDecodeError as error:
        raise Unfit(
            f"is not UTF-8 (byte {error.start})", "save it as UTF-8 (in the editor: encoding)"
        ) from error
    except RecursionError as error:
        raise Unfit("nests too deep to be read", f"name {what}") from error
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise Unfit(f"is not TOML ({str(error)[:200]})", "mend the line that is named") from error
