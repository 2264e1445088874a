"""Which of the two languages a browser gets. Pure."""

from __future__ import annotations

from collections.abc import Iterator

LANGUAGES = ("zh", "en")
_MAX_RANGES = 20


def choose(wanted: str, accept: str) -> str:
    """`zh` or `en`: what `?lang=` asks for, else what Accept-Language likes best, else Chinese."""
    if wanted in LANGUAGES:
        return wanted
    best = max(_ranges(accept), key=lambda item: item[1], default=("zh", 0.0))
    return best[0]


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(",")[:_MAX_RANGES]:
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and (weight := _weight(parameter)) > 0:
            yield language, weight


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
