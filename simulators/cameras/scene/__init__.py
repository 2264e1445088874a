"""A rendered shaft head and gate, with people and vehicles, for cameras that do not exist."""

from simulators.cameras.scene.actors import Actor, Kind
from simulators.cameras.scene.body import Posture
from simulators.cameras.scene.scene import EPOCH, Scene
from simulators.cameras.scene.stage import Box
from simulators.cameras.scene.weather import Condition

__all__ = ["EPOCH", "Actor", "Box", "Condition", "Kind", "Posture", "Scene"]
