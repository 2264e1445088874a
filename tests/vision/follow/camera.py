"""One camera's zones and lines, driven with sightings five times a second."""

from __future__ import annotations

from edge.clock import ManualClock
from edge.domain.activity import Activity
from edge.domain.observation import Quality, SeenObject, Sighting
from edge.vision.follow.zones import ZoneAnalyser
from edge.vision.spec import CameraSpec


class Camera:
    """Drives an analyser; its clock goes on with every sighting."""

    def __init__(self, spec: CameraSpec) -> None:
        self.clock = ManualClock()
        self.analyser = ZoneAnalyser(spec)

    def see(self, *objects: SeenObject, times: int = 1, pause: float = 0.2) -> list[Activity]:
        activities = []
        for _ in range(times):
            sighting = Sighting("cam-1", self.clock.advance(pause), Quality.GOOD, objects)
            activities += self.analyser.step(sighting)
        return activities
