"""What pydantic found, in words for people on site: where, what is wrong, what would be right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from edge.errors import Fault, Unfit

MAX_FAULTS = 100
_BARE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PASSWORD = re.compile(
    r"(?P<lead>://[^/@\s:]*:).*(?=@)"  # in front of the host, up to the last @
    r"|(?P<name>\b(?:pass|password|passwd|pwd)=)[^&;\s'\"]*",  # as some cameras want it
    re.IGNORECASE | re.DOTALL,
)

_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("is missing", "add it: {meaning}"),
    "string_type": ("is {given}, not text", "write text in quotes{example}"),
    "int_type": ("is {given}, not a whole number", "write digits without quotes{example}"),
    "int_parsing_size": ("is {given}", "write a smaller number{example}"),
    "float_type": ("is {given}, not a number", "write a number without quotes{example}"),
    "finite_number": ("is {given}", "write a finite number{example}"),
    "bool_type": ("is {given}", "write true or false without quotes"),
    "path_type": ("is {given}, not a path", "write a path in quotes{example}"),
    "enum": ("is {given}", "use one of {expected}{nearest}"),
    "literal_error": ("is {given}", "use one of {expected}{nearest}"),
    "tuple_type": ("is {given}, not a list", "{list}"),
    "model_type": ("is {given}, not a table", "write [{path}] and its keys below"),
    "model_attributes_type": ("is {given}, not a table", "write [[{table}]] and its keys below"),
    "union_tag_invalid": ("has {tag_key} = {tag}", "use one of {tags}{nearest}"),
    "union_tag_not_found": (
        "has no {tag_key}",
        'add {tag_key} = "tcp", "rtu-over-tcp" or "rtu"',
    ),
    "greater_than": ("is {given}, too small", "write a number above {gt}"),
    "greater_than_equal": ("is {given}, too small", "write {ge} or more"),
    "less_than_equal": ("is {given}, too large", "write {le} or less"),
    "too_short": ("has {actual_length}, too few", "give at least {min_length}"),
    "too_long": ("has more than {max_length}", "give at most {max_length}"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it"),
    "invalid_key": ("has a key that is not text", "write keys as text"),
}


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """One Fault for each thing that pydantic found, at most `MAX_FAULTS` and a last one."""
    found = error.errors(include_url=False)
    items = [item for item in found if not _follows(item, found)]
    faults = [_fault(item, model) for item in items[:MAX_FAULTS]]
    if len(items) > MAX_FAULTS:
        rest = len(items) - MAX_FAULTS
        faults.append(Fault("seal.toml", f"has {rest} further faults", "mend these first"))
    return faults


def _follows(item: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Whether a list seems too short only because its items are faulty."""
    loc = item["loc"]
    return item["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in found
    )


def _fault(item: Mapping[str, Any], model: type[BaseModel]) -> Fault:
    path, owner, field = _resolve(item["loc"], model)
    kind, given = item["type"], item["input"]
    if kind == "value_error" and isinstance(item["ctx"]["error"], Unfit):
        unfit = item["ctx"]["error"]
        return Fault(path, hide_passwords(unfit.problem), unfit.remedy)
    if kind == "extra_forbidden":
        return Fault(path, "is not a key that is known here", _spelling(item["loc"][-1], owner))
    if kind == "missing" and isinstance(item["loc"][-1], int):
        return Fault(path, "is missing", "write a point as [x, y], two numbers from 0 to 1")
    if kind not in _WORDS:
        message = item["msg"]
        return Fault(path, f"is {show(given)}", message[:1].lower() + message[1:])
    context = dict(item.get("ctx", {}))
    tag = context.get("tag", given)
    expected = context.get("expected") or context.get("expected_tags") or ""
    words = {
        **context,
        "given": show(given),
        "path": path,
        "table": _unnumbered(path),
        "meaning": _meaning(path, field),
        "example": _example(", e.g. ", path, field),
        "list": _list(path, field),
        "nearest": _nearest(tag, re.findall(r"'([^']*)'", expected)),
        "tag": show(tag),
        "tag_key": str(context.get("discriminator", "")).strip("'"),
        "tags": expected,
    }
    problem, remedy = _WORDS[kind]
    return Fault(path, problem.format_map(words), remedy.format_map(words))


def show(value: object) -> str:
    """A value as people wrote it: short, printable, without a password."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(hide_passwords(value[:2000]))[:60]
        case int():
            # Python refuses to print numbers of more than 4300 digits.
            return str(value) if value.bit_length() < 200 else "a number of very many digits"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return repr(value)[:60]


def hide_passwords(text: str) -> str:
    """`text` with `***` in the place of passwords within URLs."""
    return _PASSWORD.sub(lambda hit: f"{hit['lead'] or hit['name']}***", text)


def _resolve(
    loc: tuple[int | str, ...], model: type[BaseModel]
) -> tuple[str, tuple[type[BaseModel], ...], FieldInfo | None]:
    """Walk down `loc`.

    Returns:
        The path as people write it, the models that own its last key, and that key's field.
    """
    path = ""
    owners: tuple[type[BaseModel], ...] = (model,)
    inner = owners
    field: FieldInfo | None = None
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        if len(inner) > 1:  # a tagged union: this step is the tag, not a key
            inner = tuple(one for one in inner if step in _tags(one))
            continue
        path += f".{step}" if _BARE.fullmatch(step) else f".{step[:40]!r}"
        owners = inner
        field = next((m.model_fields[step] for m in owners if step in m.model_fields), None)
        inner = _models(field.annotation) if field else ()
    return path.lstrip(".") or "seal.toml", owners, field


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models within an annotation such as `tuple[TcpBus | SerialBus, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(found for part in get_args(annotation) for found in _models(part))


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """Every value of the model's literal fields; a tag is one of them."""
    return tuple(
        value
        for field in model.model_fields.values()
        if get_origin(field.annotation) is Literal
        for value in get_args(field.annotation)
    )


def _spelling(key: object, owners: tuple[type[BaseModel], ...]) -> str:
    known = [name for owner in owners for name in owner.model_fields]
    near = difflib.get_close_matches(str(key)[:40].lower().replace("-", "_"), known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"remove it; known here: {', '.join(known)}" if known else "remove it"


def _nearest(given: object, known: list[str]) -> str:
    near = difflib.get_close_matches(given[:40].lower(), known, 1) if isinstance(given, str) else []
    return f"; did you mean {near[0]}?" if near else ""


def _example(lead: str, path: str, field: FieldInfo | None) -> str:
    """An example in TOML. `path` may end in the field's key or in a place within its list."""
    if field is None or not field.examples:
        return ""
    key = _unnumbered(path).rpartition(".")[2]
    return f"{lead}{key} = {json.dumps(field.examples[0])}"


def _unnumbered(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


def _meaning(path: str, field: FieldInfo | None) -> str:
    if field is None:
        return "docs/configuration.md describes it"
    return f"{field.description}{_example(', e.g. ', path, field)}"


def _list(path: str, field: FieldInfo | None) -> str:
    if field is not None and _models(field.annotation):
        return f"write [[{_unnumbered(path)}]] above its keys"
    return f"write a list in square brackets{_example(', e.g. ', path, field)}"
