"""What the pages point at exists."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

import edge
from tests.docs.pages import REPO, name, pages, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TREES = "edge|docs|tests|simulators|deploy|models|benchmarks"
PARTS = "sensors|vision|uplink|ledger|rules|console|domain"
MENTION = re.compile(rf"(?<![\w/.:-])((?:{TREES}|{PARTS})/[\w./-]*\w)")


def anchors(path: Path) -> set[str]:
    """Anchors that a forge makes of the page's headings."""
    headings = re.findall(r"^#+ +(.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_resolves(page: Path):
    broken = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / unquote(file)).resolve() if file else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_path_of_this_project_that_is_mentioned_exists(page: Path):
    bases = (REPO, REPO / "edge", page.parent)
    absent = [
        path
        for path in MENTION.findall(page.read_text("utf-8"))
        if not any((base / path).exists() for base in bases)
    ]
    assert absent == []


def test_the_changelog_and_the_version_agree():
    changelog = (REPO / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    version = re.fullmatch(r"(\d+\.\d+\.\d+)(\.dev\d+|a\d+|b\d+|rc\d+)?", edge.__version__)
    assert version
    if version[2] or not released:  # on the way to a release
        assert "## [Unreleased]" in changelog
        assert version[1] not in released
    else:
        assert released[0] == version[1]


def test_every_decision_is_in_the_list_of_decisions():
    folder = REPO / "docs" / "adr"
    listed = set(LINK.findall((folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}
