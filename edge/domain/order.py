"""What each kind of order says: its arguments, typed, frozen, and checked in this one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from edge.domain.alarm import AlarmCode
from edge.domain.disposition import Disposition
from edge.domain.mine import MineState, OrderKind
from edge.domain.permit import Moment, Permit, PermitId, Words
from edge.errors import Refused
from edge.wiring import Code, Spec

MAX_RESENT = 100_000  # records that one order may ask for again
MAX_DELAY_S = 300.0  # a policy may not make the seal slower than this
MAX_HOLD_S = 3600.0

IncidentId = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(str.strip)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Level = Annotated[int, Field(ge=1, le=4)]


class SetState(Spec):
    """The mine's state from now on."""

    state: MineState


class GrantPermit(Spec):
    """Grants a permit, or replaces the one with its id."""

    permit: Permit


class RevokePermit(Spec):
    """Takes a permit back before its end."""

    permit: PermitId
    by: Words


class Acknowledge(Spec):
    """Somebody at the province has seen the incident."""

    incident: IncidentId
    by: Words


class Dispose(Spec):
    """What the incident turned out to be; it is another thing than what the alarm was called."""

    incident: IncidentId
    disposition: Disposition
    by: Words
    site_check: Moment | None = Field(default=None, description="when somebody looked on site")
    note: Words | None = None


class Snapshot(Spec):
    """A picture of this camera, taken now."""

    camera: Code


class Resend(Spec):
    """Records with start <= index < end, or one evidence file."""

    start: int | None = Field(default=None, ge=0, le=2**52)
    end: int | None = Field(default=None, ge=1, le=2**52)
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Resend:
        ranged = self.start is not None and self.end is not None
        if ranged == (self.sha256 is not None) or (self.start is None) != (self.end is None):
            raise ValueError("name start and end, or sha256")
        if ranged and not 0 < (self.end or 0) - (self.start or 0) <= MAX_RESENT:
            raise ValueError(f"a range holds 1 to {MAX_RESENT} records")
        return self


class Durations(Spec):
    """How long a rule waits."""

    min_s: float | None = Field(
        default=None, ge=0, le=MAX_DELAY_S, description="shorter activities are no incident"
    )
    hold_s: float | None = Field(
        default=None, ge=0, le=MAX_HOLD_S, description="open so long after the activity's end"
    )


class SetPolicy(Spec):
    """Levels and durations from now on; what it does not name is as the catalogue has it."""

    levels: Mapping[AlarmCode, Level] = Field(default={})
    rules: Mapping[AlarmCode, Durations] = Field(default={})


class RotateKey(Spec):
    """The gateway makes itself a new key, and a record that the old and the new one sign."""

    by: Words


class Challenge(Spec):
    """This lamp shows a pattern now, and its cameras must see it."""

    lamp: Code


class TakeReference(Spec):
    """What this camera shows now is what it is compared with from now on."""

    camera: Code


ARGS: dict[OrderKind, type[Spec]] = {
    OrderKind.SET_STATE: SetState,
    OrderKind.GRANT_PERMIT: GrantPermit,
    OrderKind.REVOKE_PERMIT: RevokePermit,
    OrderKind.ACKNOWLEDGE: Acknowledge,
    OrderKind.DISPOSE: Dispose,
    OrderKind.SNAPSHOT: Snapshot,
    OrderKind.RESEND: Resend,
    OrderKind.POLICY: SetPolicy,
    OrderKind.ROTATE_KEY: RotateKey,
    OrderKind.CHALLENGE: Challenge,
    OrderKind.REFERENCE: TakeReference,
}


def parse_args(kind: OrderKind, args: object) -> Spec:
    """The arguments of an order of this kind, from JSON values.

    Raises:
        Refused: names the argument that is wrong, and repeats nothing of what it says.
    """
    model = ARGS[kind]
    try:
        return model.model_validate_json(json.dumps(args))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"] if step in model.model_fields)
        at = f" ({where or 'as a whole'}: {first['type']})"
        raise Refused(f"the order's arguments are not those of its kind{at}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("the order's arguments are not JSON") from error


def args_data(args: Spec) -> dict[str, Any]:
    """Arguments as the JSON data of a record."""
    return args.model_dump(mode="json", exclude_none=True)
