"""Pictures that repeat, light and weather that show, truth that fits what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.cameras.scene import Actor, Condition, Scene

SIZE = (320, 180)


@pytest.fixture(scope="module")
def built():
    """Scenes are dear to build and cheap to change."""
    return {place: Scene(SIZE, 3, place) for place in ("shaft", "gate")}


@pytest.fixture
def scene(built):
    return fresh(built["shaft"])


@pytest.fixture
def gate(built):
    return fresh(built["gate"])


def fresh(scene):
    scene.actors, scene.condition = [], Condition.DAY
    scene.noise, scene.shake, scene.clock = 1.0, 0.0, True
    scene.covered, scene.cover, scene.frozen = False, "cloth", False
    return scene


def middle(scene, **kwargs):
    """Somebody who stands in the middle of the yard for a minute."""
    return scene.add(Actor.still("person", 0, 60, scene.ground(0.5, 0.75), seed=4, **kwargs))


def difference(one, other):
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_the_same_seed_and_time_give_the_same_picture(scene):
    again = Scene(SIZE, 3, "shaft")
    for made in (scene, again):
        made.walk(0)
        made.shake = 1.0
    first, second = scene.render(4.2), again.render(4.2)
    assert first.dtype == np.uint8
    assert first.shape == (180, 320, 3)
    assert np.array_equal(first, second)
    assert scene.boxes(4.2) == again.boxes(4.2)


def test_another_seed_is_another_mine(scene):
    assert difference(scene.render(0), Scene(SIZE, 4, "shaft").render(0)) > 10


def test_noise_is_new_in_every_picture_and_can_be_switched_off(scene):
    scene.clock = False
    step = difference(scene.render(1.0), scene.render(1.1))
    assert 0.5 < step < 4
    scene.noise = 3.0
    assert difference(scene.render(1.0), scene.render(1.1)) > 2 * step
    scene.noise = 0.0
    assert np.array_equal(scene.render(1.0), scene.render(1.1))


def test_the_clock_is_written_once_a_second(scene):
    scene.noise = 0.0
    assert np.array_equal(scene.render(1.0), scene.render(1.9))
    later = np.argwhere((scene.render(1.0) != scene.render(2.0)).any(axis=2))
    assert len(later)
    assert later.max(axis=0)[0] < 20  # rows of the first line of text


def test_infrared_is_grey_dark_and_noisy(scene):
    day, scene.condition = scene.render(1.0), Condition.NIGHT
    night = scene.render(1.0)
    assert np.ptp(night.astype(int), axis=2).max() == 0
    assert night.mean() < 0.8 * day.mean()
    scene.clock = False
    assert difference(scene.render(1.0), scene.render(1.1)) > 2


@pytest.mark.parametrize("condition", [c for c in Condition if c is not Condition.DAY])
@pytest.mark.parametrize("place", ["shaft", "gate"])
def test_every_condition_changes_the_picture(built, place, condition):
    made = fresh(built[place])
    made.walk(0)
    made.drive(0)
    day = made.render(3.0)
    made.condition = condition.value
    assert difference(day, made.render(3.0)) > 8


def test_fog_takes_what_is_far(scene):
    day, scene.condition = scene.render(0), Condition.FOG
    far = np.s_[30:60, 60:260]
    assert scene.render(0)[far].std() < 0.7 * day[far].std()


@pytest.mark.parametrize("condition", [Condition.RAIN, Condition.SNOW])
def test_rain_and_snow_fall(scene, condition):
    scene.condition, scene.noise, scene.clock = condition, 0.0, False
    changed = (scene.render(1.0) != scene.render(1.1)).any(axis=2).mean()
    assert 0.005 < changed < 0.5


@pytest.mark.parametrize(("cover", "low", "high"), [("cloth", 5, 45), ("spray", 80, 200)])
def test_a_covered_lens_shows_neither_yard_nor_people(scene, cover, low, high):
    middle(scene)
    before = scene.render(1.0)
    scene.covered, scene.cover, scene.clock = True, cover, False
    picture = scene.render(1.0)
    assert low < picture.mean() < high
    assert picture.std() < 0.5 * before.std()
    assert scene.boxes(1.0) == []
    assert difference(picture, scene.render(1.1)) > 0.5  # the sensor lives
    scene.covered, scene.clock = False, True
    assert np.array_equal(scene.render(1.0), before)


def test_a_frozen_camera_repeats_its_last_picture_and_the_truth_stays_with_it(scene):
    scene.walk(0)
    last = scene.render(4.0)
    scene.frozen = True
    assert scene.frozen
    assert np.array_equal(scene.render(6.0), last)
    assert scene.boxes(6.0) == scene.boxes(4.0)
    scene.frozen = False
    assert not np.array_equal(scene.render(6.0), last)


def test_a_shaken_camera_moves_picture_and_truth_alike(scene):
    middle(scene)
    still = scene.boxes(1.0)[0]
    scene.shake = 6.0
    moved = {(scene.boxes(t)[0].x1, scene.boxes(t)[0].y1) for t in (1.0, 1.1, 1.2)}
    assert len(moved) == 3
    assert all(abs(x - still.x1) < 8 and abs(y - still.y1) < 8 for x, y in moved)
    scene.noise, scene.clock = 0.0, False
    assert difference(scene.render(1.0), scene.render(1.1)) > 0.5


@pytest.mark.parametrize("pose", ["walk", "stand", "crouch"])
def test_the_box_is_where_the_picture_changes(scene, pose):
    scene.noise, scene.clock, scene.condition = 0.0, False, Condition.DUSK  # no cast shadow
    empty = scene.render(1.0)
    if pose == "walk":
        scene.walk(-4, "across")
    else:
        middle(scene, rest=pose)
    box = scene.boxes(1.0)[0]
    changed = np.argwhere(np.abs(scene.render(1.0).astype(int) - empty).max(axis=2) > 25)
    top, left = changed.min(axis=0)
    assert box.label == "person"
    assert box.visible > 0.9
    assert abs(top - box.y1) <= 2
    assert abs(left - box.x1) <= 6  # a contact shadow lies beside the feet
    assert box.y2 - box.y1 > box.x2 - box.x1 or pose == "crouch"


def test_somebody_who_crouches_is_lower(scene):
    heights = []
    for rest in ("stand", "crouch"):
        scene.actors = []
        middle(scene, rest=rest)
        box = scene.boxes(1.0)[0]
        heights.append(box.y2 - box.y1)
    assert heights[1] < 0.75 * heights[0]


def test_a_vehicle_hides_who_stands_behind_it(scene):
    x, z = scene.ground(0.5, 0.95)
    person = Actor.still("person", 0, 60, (x, z + 3), seed=4)
    scene.actors = [person]
    assert scene.boxes(1.0)[0].visible > 0.9
    truck = Actor.still("truck", 0, 60, (x, z), facing=np.pi / 2)
    scene.actors = [person, truck]
    found = scene.boxes(1.0)
    assert found[0].label == "vehicle"
    assert all(box.visible < 0.5 for box in found[1:])


def test_somebody_half_out_of_the_picture_is_half_visible(scene):
    x, z = scene.ground(0.5, 0.8)
    whole = scene.add(Actor.still("person", 0, 60, (x, z)))
    assert scene.boxes(1)[0].visible > 0.9
    near = scene.ground(0.5, 0.999)
    scene.actors = [Actor.still("person", 0, 60, (near[0], near[1] - 0.7))]
    (box,) = scene.boxes(1)
    assert 0.2 < box.visible < 0.9
    assert box.y2 == SIZE[1]
    assert whole.end == 60


def test_nobody_is_seen_before_and_after_his_time(scene):
    actor = scene.walk(10, "across", seed=1)
    assert scene.boxes(9.9) == []
    assert scene.boxes((actor.start + actor.end) / 2)
    assert scene.boxes(actor.end + 0.1) == []


def test_who_has_gone_is_forgotten(scene):
    scene.walk(0, "across")
    scene.render(1000)
    stays = scene.walk(1001, "across")
    assert scene.actors == [stays]


def test_every_route_leads_through_the_picture(built):
    for place, made in built.items():
        fresh(made)
        for name in made.layout.routes:
            vehicle = name.startswith("drive")
            made.actors = []
            actor = made.drive(0, name) if vehicle else made.walk(0, name)
            seen = [made.boxes(t) for t in np.linspace(0, actor.end, 12)]
            assert sum(map(bool, seen)) >= 4, (place, name)


@pytest.mark.parametrize(("place", "route"), [("shaft", "in"), ("gate", "in"), ("gate", "drive")])
def test_the_zone_at_the_place_is_walked_and_driven_through(built, place, route):
    made = fresh(built[place])
    zone = np.array(made.zone("shaft-mouth" if place == "shaft" else "gate")) * SIZE
    actor = made.walk(0) if route == "in" else made.drive(0)
    low, high = zone.min(axis=0), zone.max(axis=0)
    hits = 0
    for t in np.linspace(0, actor.end, 40):
        for box in made.boxes(t):
            foot = ((box.x1 + box.x2) / 2, box.y2)
            hits += bool((low <= foot).all() and (foot <= high).all())
    assert hits >= 4


def test_zones_are_fractions_of_the_picture(built):
    for made in built.values():
        for name in made.layout.zones:
            polygon = made.zone(name)
            assert len(polygon) >= 3
            assert all(0 <= value <= 1 for point in polygon for value in point)


def test_headlamps_shine_at_night(gate):
    gate.condition, gate.noise, gate.clock = Condition.NIGHT, 0.0, False
    empty = gate.render(4.0)
    actor = gate.drive(0, "drive-in")
    lit = max(
        float(gate.render(t).max()) - float(empty.max())
        for t in np.linspace(0.3, 0.9, 5) * actor.end
    )
    assert lit > 20


def test_no_ground_is_seen_in_the_sky(scene):
    with pytest.raises(ValueError, match="no ground"):
        scene.ground(0.5, 0.0)
    x, z = scene.ground(0.5, 0.9)
    px, _ = scene.lens.project(np.array([[x, 0.0, z]], np.float32))
    assert px[0] == pytest.approx((160, 162), abs=0.5)
