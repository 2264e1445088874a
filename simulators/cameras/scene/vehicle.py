"""Cars and trucks as solids: a side view drawn out to a width, with wheels, glass and lamps.

Measures are metres: ahead, up, left of the vehicle's middle on the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.cameras.scene.textures import Colour

Flat = tuple[tuple[float, float], ...]

_GLASS: Colour = (92, 80, 66)
_SHEEN: Colour = (150, 140, 124)
_DARK: Colour = (40, 42, 44)
_TRIM: Colour = (66, 68, 70)
_WHITE: Colour = (228, 232, 232)
_RED: Colour = (36, 36, 190)
_PLATE: Colour = (180, 96, 40)
_AMBER: Colour = (40, 150, 240)


@dataclass(frozen=True, slots=True)
class Detail:
    """A flat mark on a solid.

    On a side (`edge` is None) its points are (ahead, up); on the face drawn out from edge
    number `edge` they are (left, 0..1 along the edge).
    """

    edge: int | None
    points: Flat
    colour: Colour


@dataclass(frozen=True, slots=True)
class Solid:
    """A profile, drawn out.

    Attributes:
        profile: (ahead, up), going round from the rear bottom over the top to the front.
        half: half width at the foot and at the top of the profile.
        colour: paint.
        edges: other colours by number of the edge from profile[i] to profile[i + 1].
        details: marks on its faces.
    """

    profile: Flat
    half: tuple[float, float]
    colour: Colour
    edges: tuple[tuple[int, Colour], ...] = ()
    details: tuple[Detail, ...] = ()

    def half_at(self, up: float) -> float:
        """Half width at a height."""
        ups = [point[1] for point in self.profile]
        low, high = min(ups), max(ups)
        part = (up - low) / max(high - low, 1e-6)
        return self.half[0] + (self.half[1] - self.half[0]) * min(max(part, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel, on both sides."""

    ahead: float
    radius: float
    left: float


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Solids in any order (`under` first), wheels, lamps (ahead, up, left, front?)."""

    under: tuple[Solid, ...]
    solids: tuple[Solid, ...]
    wheels: tuple[Wheel, ...]
    length: float
    width: float
    lamps: tuple[tuple[float, float, float, bool], ...]


_PAINTS: tuple[Colour, ...] = (
    (226, 228, 228),
    (176, 178, 178),
    (58, 56, 54),
    (44, 40, 168),
    (150, 84, 40),
    (120, 132, 138),
)


def car(rng: np.random.Generator) -> Vehicle:
    """A saloon, a hatchback or an off-road car."""
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    tall = float(rng.choice([0.0, 0.06, 0.22]))
    belt, roof = 0.94 + tall, 1.46 + tall * 1.2
    square = bool(rng.random() < 0.5)
    back = -2.05 if square else -1.75
    body = Solid(
        profile=(
            (-2.2, 0.26),
            (-2.27, 0.62),
            (-2.18, belt),
            (0.95, belt),
            (2.0, 0.8 + tall),
            (2.22, 0.6),
            (2.18, 0.24),
        ),
        half=(0.88, 0.84),
        colour=paint,
        details=(*_car_ends(), *_car_sides(paint, belt)),
    )
    cabin = Solid(
        profile=(
            (back, belt - 0.01),
            (back + (0.3 if square else 0.75), roof - 0.05),
            (-0.4, roof),
            (0.22, roof - 0.03),
            (1.12, belt - 0.01),
        ),
        half=(0.82, 0.62),
        colour=paint,
        edges=((0, _GLASS), (3, _GLASS)),
        details=(
            Detail(3, ((-0.5, 0.12), (0.1, 0.12), (-0.25, 0.9), (-0.7, 0.9)), _SHEEN),
            Detail(None, _windows(back + 0.28, belt, roof, square=square), _GLASS),
            Detail(None, ((-0.38, belt), (-0.3, belt), (-0.3, roof), (-0.38, roof)), paint),
            Detail(
                None,
                ((0.0, roof - 0.1), (0.2, roof - 0.1), (0.3, belt + 0.06), (0.12, belt + 0.06)),
                _SHEEN,
            ),
        ),
    )
    wheels = (Wheel(1.35, 0.33, 0.86), Wheel(-1.35, 0.33, 0.86))
    lamps = (
        (2.25, 0.66, 0.62, True),
        (2.25, 0.66, -0.62, True),
        (-2.27, 0.75, 0.65, False),
        (-2.27, 0.75, -0.65, False),
    )
    return Vehicle((), (body, cabin), wheels, 4.5, 1.76, lamps)


def _car_ends() -> tuple[Detail, ...]:
    return (
        Detail(4, ((0.42, 0.2), (0.82, 0.1), (0.82, 0.9), (0.5, 0.8)), _WHITE),
        Detail(4, ((-0.42, 0.2), (-0.82, 0.1), (-0.82, 0.9), (-0.5, 0.8)), _WHITE),
        Detail(4, ((-0.36, 0.3), (0.36, 0.3), (0.32, 0.95), (-0.32, 0.95)), _DARK),
        Detail(5, ((-0.7, 0.35), (0.7, 0.35), (0.6, 0.85), (-0.6, 0.85)), _DARK),
        Detail(5, ((-0.23, 0.1), (0.23, 0.1), (0.23, 0.45), (-0.23, 0.45)), _PLATE),
        Detail(1, ((0.5, 0.1), (0.83, 0.1), (0.83, 0.7), (0.5, 0.6)), _RED),
        Detail(1, ((-0.5, 0.1), (-0.83, 0.1), (-0.83, 0.7), (-0.5, 0.6)), _RED),
        Detail(1, ((-0.24, 0.2), (0.24, 0.2), (0.24, 0.55), (-0.24, 0.55)), _PLATE),
        Detail(0, ((-0.8, 0.05), (0.8, 0.05), (0.8, 0.5), (-0.8, 0.5)), _DARK),
    )


def _car_sides(paint: Colour, belt: float) -> tuple[Detail, ...]:
    shade: Colour = (paint[0] * 0.72, paint[1] * 0.72, paint[2] * 0.72)
    lines = tuple(
        Detail(None, ((x, 0.34), (x + 0.025, 0.34), (x + 0.025, belt), (x, belt)), shade)
        for x in (-1.0, -0.34, 0.85)
    )
    sill = Detail(None, ((-2.0, 0.25), (2.0, 0.25), (2.0, 0.38), (-2.0, 0.38)), _TRIM)
    crease = Detail(None, ((-2.2, 0.6), (2.1, 0.58), (2.1, 0.62), (-2.2, 0.65)), shade)
    light = Detail(None, ((1.85, 0.62), (2.15, 0.58), (2.15, 0.7), (1.85, 0.76)), _WHITE)
    tail = Detail(None, ((-2.25, 0.68), (-1.95, 0.7), (-1.95, 0.84), (-2.2, 0.84)), _RED)
    handles = tuple(
        Detail(
            None,
            ((x, belt - 0.14), (x + 0.18, belt - 0.14), (x + 0.18, belt - 0.1), (x, belt - 0.1)),
            _TRIM,
        )
        for x in (-0.9, 0.0)
    )
    return (*lines, sill, crease, light, tail, *handles)


def _windows(back: float, belt: float, roof: float, *, square: bool) -> Flat:
    lean = 0.2 if square else 0.5
    return (
        (back, belt + 0.04),
        (back + lean, roof - 0.13),
        (0.14, roof - 0.11),
        (0.86, belt + 0.04),
    )


def truck(rng: np.random.Generator) -> Vehicle:
    """A tipper or a box lorry with a cab over the engine."""
    cabs: tuple[Colour, ...] = (
        (44, 44, 178),
        (178, 110, 44),
        (60, 160, 210),
        (216, 218, 216),
        (70, 130, 60),
    )
    paint = cabs[int(rng.integers(len(cabs)))]
    chassis = Solid(((-3.8, 0.62), (-3.8, 0.95), (3.6, 0.95), (3.6, 0.62)), (0.5, 0.5), _DARK)
    tank = Solid(((-0.6, 0.5), (-0.6, 1.0), (0.9, 1.0), (0.9, 0.5)), (1.1, 1.1), (110, 114, 116))
    load = _tipper(rng) if rng.random() < 0.6 else _box(rng)
    wheels = tuple(Wheel(x, 0.52, 1.2) for x in (2.75, -1.75, -2.95))
    lamps = (
        (3.97, 0.85, 0.95, True),
        (3.97, 0.85, -0.95, True),
        (-3.92, 0.95, 1.0, False),
        (-3.92, 0.95, -1.0, False),
    )
    return Vehicle((chassis, tank), (load, _cab(paint)), wheels, 7.9, 2.5, lamps)


def _cab(paint: Colour) -> Solid:
    return Solid(
        profile=(
            (1.95, 0.62),
            (1.95, 2.75),
            (2.2, 2.95),
            (3.55, 2.95),
            (3.86, 1.85),
            (3.95, 1.0),
            (3.95, 0.45),
        ),
        half=(1.22, 1.16),
        colour=paint,
        details=(
            Detail(3, ((-1.06, 0.16), (1.06, 0.16), (1.1, 0.96), (-1.1, 0.96)), _GLASS),
            Detail(3, ((-0.7, 0.2), (0.0, 0.2), (-0.35, 0.9), (-0.9, 0.9)), _SHEEN),
            Detail(4, ((-0.95, 0.15), (0.95, 0.15), (0.95, 0.8), (-0.95, 0.8)), _DARK),
            Detail(4, ((-0.5, 0.38), (0.5, 0.38), (0.5, 0.5), (-0.5, 0.5)), (196, 198, 198)),
            Detail(5, ((-1.22, 0.35), (1.22, 0.35), (1.22, 1.0), (-1.22, 1.0)), _TRIM),
            Detail(5, ((0.72, 0.1), (1.15, 0.1), (1.15, 0.55), (0.72, 0.55)), _WHITE),
            Detail(5, ((-0.72, 0.1), (-1.15, 0.1), (-1.15, 0.55), (-0.72, 0.55)), _WHITE),
            Detail(5, ((-0.26, 0.5), (0.26, 0.5), (0.26, 0.8), (-0.26, 0.8)), (50, 190, 220)),
            Detail(None, ((2.3, 1.8), (2.4, 2.65), (3.4, 2.65), (3.68, 1.8)), _GLASS),
            Detail(None, ((2.6, 2.6), (2.95, 2.6), (3.3, 1.85), (2.95, 1.85)), _SHEEN),
            Detail(None, ((2.24, 0.9), (2.27, 0.9), (2.27, 2.7), (2.24, 2.7)), _TRIM),
            Detail(None, ((3.55, 1.2), (3.88, 1.2), (3.88, 1.34), (3.55, 1.34)), _AMBER),
            Detail(None, ((3.3, 0.5), (3.95, 0.5), (3.95, 0.95), (3.3, 0.95)), _TRIM),
        ),
    )


def _tipper(rng: np.random.Generator) -> Solid:
    tones: tuple[Colour, ...] = ((60, 100, 170), (128, 96, 52), (84, 92, 96), (60, 120, 190))
    tone = tones[int(rng.integers(len(tones)))]
    dim: Colour = (tone[0] * 0.72, tone[1] * 0.72, tone[2] * 0.72)
    ribs = tuple(
        Detail(None, ((x, 1.15), (x + 0.14, 1.15), (x + 0.14, 2.45), (x, 2.45)), dim)
        for x in np.linspace(-3.6, 1.3, 7).tolist()
    )
    rail = Detail(None, ((-3.88, 2.3), (1.78, 2.4), (1.78, 2.55), (-3.88, 2.45)), dim)
    return Solid(
        profile=((-3.9, 1.05), (-3.95, 2.45), (-1.6, 2.75), (0.4, 2.85), (1.8, 2.55), (1.75, 1.05)),
        half=(1.16, 1.24),
        colour=tone,
        edges=((1, (44, 44, 46)), (2, (52, 52, 54)), (3, (46, 46, 48))),
        details=(*ribs, rail, *_tail(dim)),
    )


def _box(rng: np.random.Generator) -> Solid:
    tones: tuple[Colour, ...] = ((206, 210, 210), (150, 120, 70), (80, 130, 90))
    tone = tones[int(rng.integers(len(tones)))]
    dim: Colour = (tone[0] * 0.85, tone[1] * 0.85, tone[2] * 0.85)
    seams = tuple(
        Detail(None, ((x, 1.1), (x + 0.05, 1.1), (x + 0.05, 3.3), (x, 3.3)), dim)
        for x in np.linspace(-3.3, 1.2, 6).tolist()
    )
    return Solid(
        profile=((-3.9, 1.05), (-3.9, 3.35), (1.75, 3.35), (1.75, 1.05)),
        half=(1.22, 1.22),
        colour=tone,
        details=(*seams, *_tail(dim)),
    )


def _tail(dim: Colour) -> tuple[Detail, ...]:
    return (
        Detail(0, ((-1.1, 0.06), (1.1, 0.06), (1.1, 0.12), (-1.1, 0.12)), dim),
        Detail(0, ((-0.04, 0.1), (0.04, 0.1), (0.04, 0.9), (-0.04, 0.9)), dim),
        Detail(0, ((0.75, 0.0), (1.15, 0.0), (1.15, 0.08), (0.75, 0.08)), _RED),
        Detail(0, ((-0.75, 0.0), (-1.15, 0.0), (-1.15, 0.08), (-0.75, 0.08)), _RED),
    )
