"""docs/configuration.md says of every key what the models say, and nothing of any other."""

from __future__ import annotations

import re
import tomllib

import pytest
from pydantic import BaseModel

from edge.config import SealConfig, load, parse
from edge.config.words import _models
from tests.configs import changed, sample
from tests.docs.pages import REPO, blocks, pages
from tests.docs.rows import SECTIONS, alarm_rows, rows

PAGE = (REPO / "docs" / "configuration.md").read_text("utf-8")
HEADER = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
PLACES = {
    "`[site]`": "site",
    "`[storage]`": "storage",
    "`[[bus]]`": "bus.0",
    '`[[bus]]` with `transport = "tcp"`': "bus.0",
    '`[[bus]]` with `transport = "rtu"`': "bus.1",
    "`[[bus.meter]]`": "bus.0.meter.3",
    "`[[bus.contact]]`": "bus.1.contact.0",
    "`[[camera]]`": "camera.0",
    "`[[camera.zone]]`": "camera.0.zone.0",
    "`[[camera.line]]`": "camera.0.line.0",
    "`[[camera.mask]]`": "camera.0.mask.0",
    "`[camera.clock]`": "camera.0.clock",
    "`[[challenge]]`": "challenge.0",
    "`[[challenge.view]]`": "challenge.0.view.0",
    "`[detector]`": "detector",
    "`[[broker]]`": "broker.0",
    "`[broker.tls]`": "broker.0.tls",
    "`[uplink]`": "uplink",
    "`[page]`": "page",
    "`[logging]`": "logging",
}


def table(heading: str) -> list[str]:
    """The table rows of a section of the page."""
    _, _, section = PAGE.partition(f"\n## {heading}\n")
    section = section.partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_described_as_it_is_and_no_other(heading: str):
    # `python -m tests.docs.rows` prints what must stand there.
    assert table(heading) == [*HEADER, *rows(heading)]


def test_every_table_of_the_file_has_its_section():
    def inside(model: type[BaseModel]) -> set[type[BaseModel]]:
        below = {
            inner for field in model.model_fields.values() for inner in _models(field.annotation)
        }
        return {model}.union(*(inside(one) for one in below))

    assert inside(SealConfig) == {model for model, _ in SECTIONS.values()}
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == [*SECTIONS, "Field codes"]


def test_every_key_says_what_it_means():
    unexplained = [
        (model.__name__, key)
        for model, _ in SECTIONS.values()
        for key, field in model.model_fields.items()
        if not field.description
    ]
    assert unexplained == []


@pytest.mark.parametrize("heading", PLACES)
def test_every_example_is_right_where_it_belongs(heading: str):
    for row in table(heading)[2:]:
        example = row.rpartition("| `")[2].removesuffix("` |")
        if " = " not in example:
            continue
        [(key, value)] = tomllib.loads(example).items()
        if key in {"code", "unit", "camera_code", "transport", "device"}:
            continue  # taken by a neighbour in the sample
        parse(changed(sample(), f"{PLACES[heading]}.{key}", value))


def test_the_field_codes_are_those_of_the_catalogue():
    assert table("Field codes")[2:] == alarm_rows()


def test_every_sample_configuration_loads():
    samples = list((REPO / "deploy").glob("*.toml"))
    assert samples
    for path in samples:
        load(path)


def test_every_piece_of_configuration_in_a_page_is_toml():
    for page in pages():
        for block in blocks(page, "toml"):
            tomllib.loads(block)
