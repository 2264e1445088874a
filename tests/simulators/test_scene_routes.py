"""Ways beside other ways, and back again."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.cameras.scene import Actor, Scene
from simulators.cameras.scene.routes import beside, there_and_back

spots = st.tuples(st.floats(-30, 30), st.floats(2, 40))
ways = st.lists(spots, min_size=2, max_size=5)


def length(way):
    return sum(math.dist(a, b) for a, b in pairwise(way))


def test_the_right_of_who_walks_away_from_the_camera_is_the_picture_s_right():
    assert beside([(0, 5), (0, 9)], 0.5) == [(0.5, 5), (0.5, 9)]
    assert beside([(0, 5), (4, 5)], 0.5) == [(0, 4.5), (4, 4.5)]


@given(ways, st.floats(-3, 3))
def test_every_spot_moves_by_the_distance_or_stays_where_the_way_turns_on_itself(way, aside):
    for before, after in zip(way, beside(way, aside), strict=True):
        moved = math.dist(before, after)
        assert moved == pytest.approx(abs(aside)) or moved == pytest.approx(0)


@given(ways, st.floats(0, 1))
def test_there_and_back_is_twice_the_share_and_ends_where_it_began(way, share):
    both = there_and_back(way, share)
    assert both[0] == both[-1] == way[0]
    assert length(both) == pytest.approx(2 * share * length(way), abs=1e-6)


def test_who_turns_goes_back_the_way_he_came():
    actor = Actor.along("person", 0, [(0, 5), (0, 15)], speed=1, turn=0.4, pause=2)
    first, rest, back = (actor.at(t) for t in (3, 5, 7))
    assert first is not None
    assert rest is not None
    assert back is not None
    assert first.place == pytest.approx(back.place)
    assert math.cos(first.heading - back.heading) == pytest.approx(-1)
    assert rest.walked is None
    assert actor.end == pytest.approx(10)


def test_who_walks_backwards_looks_where_he_came_from():
    pose = Actor.along("person", 0, [(0, 5), (0, 15)], speed=1, backwards=True).at(4)
    assert pose is not None
    assert math.cos(pose.heading) == pytest.approx(-1)


@pytest.mark.parametrize(("gait", "share"), [("stand", 1.0), ("crouch", 0.55), ("crawl", 0.35)])
def test_who_goes_low_goes_slowly(gait, share):
    actor = Actor.along("person", 0, [(0, 5), (0, 18)], gait=gait)
    assert actor.end == pytest.approx(10 / share)


@pytest.mark.parametrize("count", [2, 3])
def test_several_abreast_keep_their_distance(count):
    scene = Scene((320, 180), 3)
    group = scene.abreast(0.0, "across", count, gap=0.8)
    assert scene.actors == group
    places = [pose.place for actor in group if (pose := actor.at(5.0)) is not None]
    apart = [math.dist(a, b) for a, b in pairwise(places)]
    assert apart == pytest.approx([0.8] * (count - 1), abs=0.05)
    assert len({actor.seed for actor in group}) == count
    assert len([box for box in scene.boxes(7.0) if box.label == "person"]) == count


def test_who_crawls_in_beside_a_lorry_is_lower_than_it_and_keeps_its_pace():
    scene = Scene((320, 180), 3)
    truck = scene.drive(0.0)
    crawler = scene.add(truck.shadowed(aside=-2.2, behind=0.5))
    assert (crawler.start, crawler.end) == (truck.start + 0.5, truck.end + 0.5)
    t = (truck.start + truck.end) / 2
    one, other = truck.at(t), crawler.at(t + 0.5)
    assert one is not None
    assert other is not None
    assert math.dist(one.place, other.place) == pytest.approx(2.2, abs=0.3)


@pytest.mark.parametrize("kind", ["dog", "cat"])
def test_an_animal_is_small_and_neither_person_nor_vehicle(kind):
    scene = Scene((640, 360), 3)
    scene.add(Actor.along(kind, 0, [(-3, 10), (3, 10)], seed=2))
    scene.add(Actor.still("person", 0, 9, (0, 10)))
    boxes = {box.label: box for box in scene.boxes(1.5)}
    assert set(boxes) == {"animal", "person"}
    animal, person = boxes["animal"], boxes["person"]
    assert animal.y2 - animal.y1 < 0.6 * (person.y2 - person.y1)
