"""The pages that the documentation tests read."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SKIPPED = {"node_modules", "build", "dist"}


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown file of the project."""
    return tuple(
        path
        for path in sorted(REPO.rglob("*.md"))
        if not any(
            part.startswith(".") or part in _SKIPPED for part in path.relative_to(REPO).parts
        )
    )


def name(path: Path) -> str:
    """Path within the project, for messages."""
    return str(path.relative_to(REPO))


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [text for tag, text in _BLOCK.findall(path.read_text("utf-8")) if tag == language]


def prose(path: Path) -> str:
    """The page without its fenced blocks."""
    return _BLOCK.sub("", path.read_text("utf-8"))


def commands(path: Path) -> list[list[str]]:
    """What the page's shell blocks tell to run: words of each command, comments left out."""
    lines = "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for line in words if line for command in _split(line) if command]


def _split(words: list[str]) -> list[list[str]]:
    """A line of commands joined by `&&` as a list of commands."""
    joined: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            joined.append([])
        else:
            joined[-1].append(word)
    return joined


def eseal(path: Path) -> list[list[str]]:
    """Arguments of every `eseal` that the page tells to run, however it is reached."""
    found = []
    for words in commands(path):
        own = words[words.index("--") + 1 :] if words[0] == "runuser" else words
        if own[0].rpartition("/")[2] == "eseal":
            found.append(own[1:])
    return found
