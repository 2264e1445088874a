"""Whatever comes, nothing else than ConfigError comes out, and soon."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from datetime import date
from datetime import time as day_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.config import decode, parse
from edge.errors import ConfigError, Fault, Unfit
from tests.configs import sample
from tests.docs.rows import SECTIONS


@pytest.mark.parametrize(
    "raw",
    [
        b"\n".join(b"a%d" % i + b".a" * 505 + b"=1" for i in range(120)),
        b"[" + b"a." * 505 + b"b]\n" + b"\n".join(b"%x=1" % i for i in range(18000)),
        b"[[broker]]\nq=1\n" * 8000,
        b"[site]\n" + b"\n".join(b"%x=1" % i for i in range(18000)),
    ],
    ids=["dotted keys", "a deep table", "many tables", "many keys"],
)
def test_the_worst_file_is_answered_in_seconds(raw: bytes):
    begun = time.monotonic()
    with pytest.raises(ConfigError):
        parse(decode(raw))
    assert time.monotonic() - begun < 20  # about 2 on an idle machine


# --- whatever comes ------------------------------------------------------------------------

NAMES = st.sampled_from(
    sorted({name for model, _ in SECTIONS.values() for name in model.model_fields})
)
SCALARS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["tcp", "rtu", "hoist", "gate", "suspended", "a", "rtsp://u:pa55@h/x"]),
    st.integers(),
    st.integers(-3, 300),
    st.just(1 << 700),
    st.floats(),
    st.booleans(),
    st.dates(date(1970, 1, 1)),
    st.datetimes(),
    st.just(day_time(1, 2)),
)
TABLES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) within the data."""
    items: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    return [(data, key) for key, _ in items] + [
        place for _, value in items for place in _places(value)
    ]


def answered(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    told: list[Fault] = []
    try:
        config = parse(data)
    except ConfigError as error:
        told = error.faults
    else:
        assert parse(data).sha256() == config.sha256()
    for fault in told:
        assert str(fault).isprintable()
        assert "pa55" not in str(fault)
        assert len(str(fault)) < 1200
        assert fault.remedy
    assert before == data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES | st.text(max_size=5), TABLES, max_size=8))
def test_whatever_tables_come_only_a_config_error_comes_out(data):
    answered(data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_good_file_with_a_few_things_changed_gives_only_a_config_error(data):
    tables = sample()
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(_places(tables)))
        if data.draw(st.booleans()) or isinstance(container, list):
            container[key] = data.draw(TABLES)
        elif data.draw(st.booleans()):
            del container[key]
        else:
            container[data.draw(NAMES | st.text(max_size=30))] = data.draw(TABLES)
        if not tables:
            break
    answered(tables)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_come_only_unfit_comes_out(raw):
    with suppress(Unfit):
        decode(raw)
