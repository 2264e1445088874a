"""What may run explains a load, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.activity import Duty
from edge.sensors.power.machines import STANDING, Machine, declared, explain, seen, states
from edge.sensors.spec import PermittedSpec

PUMP = Machine(100.0, 95.0, 105.0, 2)


def _spec(duty, kw=100.0, count=1):
    return PermittedSpec(duty=duty, rated_kw=kw, count=count)


def test_a_declared_pump_may_draw_less_than_its_rating_and_little_more():
    machine = declared(_spec(Duty.PUMP, count=2))
    assert machine is not None
    assert (machine.kw, machine.count) == (80.0, 2)
    assert machine.low_kw == pytest.approx(55.0)
    assert machine.high_kw == pytest.approx(115.0)


def test_the_first_fan_is_part_of_what_is_usual_and_so_is_the_guard_house():
    assert declared(_spec(Duty.FAN)) is None
    assert declared(_spec(Duty.LIVING)) is None
    second = declared(_spec(Duty.FAN, count=2))
    assert second is not None
    assert second.count == 1


def test_a_heater_of_stages_may_draw_a_part():
    machine = declared(_spec(Duty.OTHER))
    assert machine is not None
    assert machine.staged
    assert machine.low_kw == pytest.approx(30.0)


def test_what_varied_will_vary_on_but_not_without_end():
    steady, restless = seen(100.0, 99.0, 101.0), seen(100.0, 80.0, 130.0, 3)
    assert (steady.low_kw, steady.high_kw) == (95.0, 105.0)
    assert (restless.low_kw, restless.high_kw, restless.count) == (88.0, 112.0, 3)


def test_every_mix_is_a_state_and_there_is_an_end_to_them():
    assert [state.kw for state in states([PUMP])] == [0.0, 100.0, 200.0]
    assert [state.kw for state in states([])] == [0.0]
    assert len(states([Machine(1.0, 1.0, 1.0, 8)] * 8)) == 256


@pytest.mark.parametrize(
    ("kw", "explained"), [(0, 0), (4, 0), (60, 0), (97, 100), (110, 100), (150, 100), (400, 200)]
)
def test_a_load_is_explained_by_the_nearest_state_or_the_one_below(kw, explained):
    assert explain(kw, states([PUMP]), 5.0, STANDING).kw == explained


def test_of_two_states_that_explain_a_load_the_one_that_held_goes_on():
    choices = states([Machine(100.0, 80.0, 130.0), Machine(120.0, 90.0, 140.0)])
    assert explain(112.0, choices, 0.0, choices[1]) is choices[1]
    assert explain(112.0, choices, 0.0, choices[2]) is choices[2]


@given(
    st.lists(st.builds(lambda kw, n: seen(kw, kw, kw, n), st.floats(5, 500), st.integers(1, 3))),
    st.floats(-100, 5000),
    st.floats(0, 50),
)
def test_what_is_explained_is_never_more_than_there_is(machines, kw, slack):
    choices = states(machines[:4])
    state = explain(kw, choices, slack, STANDING)
    assert state in choices
    assert state.low_kw - slack <= max(kw, 0.0)
