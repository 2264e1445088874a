"""Activities as the data of a record."""

from __future__ import annotations

import json

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, EvidenceRef, Phase, activity_data

STARTED = Stamp(1_750_000_000_000_000, 5_000_000, "boot")
LATER = Stamp(1_750_000_003_250_000, 8_250_000, "boot")


def test_an_activity_is_told_in_json_scalars_with_its_evidence() -> None:
    picture = EvidenceRef("ab" * 32, "image/jpeg", 1234, "clean")
    activity = Activity(
        ActivityKind.PERSON_IN_ZONE,
        "shaft-cam",
        "mouth",
        "shaft-mouth",
        Phase.STARTED,
        STARTED,
        LATER,
        {"count": 2},
        (picture,),
    )
    data = activity_data(activity)
    assert json.loads(json.dumps(data)) == data
    assert data == {
        "kind": "person-in-zone",
        "source": "shaft-cam",
        "place": "mouth",
        "aspect": "shaft-mouth",
        "phase": "started",
        "started": "2025-06-15T15:06:40.000000Z",
        "stamp": "2025-06-15T15:06:43.250000Z",
        "detail": {"count": 2},
        "evidence": [
            {"sha256": "ab" * 32, "media_type": "image/jpeg", "size": 1234, "caption": "clean"}
        ],
    }


def test_a_crossing_carries_the_field_code_of_its_direction() -> None:
    def crossing(aspect: str) -> dict[str, object]:
        return activity_data(
            Activity(
                ActivityKind.LINE_CROSSED, "cam", "sill", aspect, Phase.STARTED, STARTED, STARTED
            )
        )

    assert crossing("in")["direction"] == "01"
    assert crossing("out")["direction"] == "02"


def test_two_reports_about_one_thing_share_their_key() -> None:
    def report(phase: Phase, place: str) -> Activity:
        return Activity(ActivityKind.PERSON_IN_ZONE, "cam", place, "", phase, STARTED, LATER)

    assert report(Phase.STARTED, "a").key == report(Phase.ENDED, "a").key
    assert report(Phase.STARTED, "a").key != report(Phase.STARTED, "b").key
