"""What national law asks of a case: it hangs on the event's class, never on our colour.

Source: 国办发〔2016〕80号 (5 hours); 国办发〔2016〕61号 (24 and 48 hours). Domain §6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from matrix.core.case import EventClass


class Duty(StrEnum):
    """What must have been done."""

    PUBLISH = "publish"
    PRESS_CONFERENCE = "press-conference"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalClock:
    """A duty and when it is due."""

    duty: Duty
    due_at: datetime


_GRAVE = ((Duty.PUBLISH, 5), (Duty.PRESS_CONFERENCE, 24))
_HOURS = {
    EventClass.MAJOR_PLUS: _GRAVE,
    EventClass.MAJOR: _GRAVE,
    EventClass.OTHER: ((Duty.ANSWER, 48),),
    EventClass.NOT_APPLICABLE: (),
}


def national(event_class: EventClass, received_at: datetime) -> tuple[NationalClock, ...]:
    """The national clocks, counted on the wall clock from the oldest lead of the case."""
    return tuple(
        NationalClock(duty=duty, due_at=received_at + timedelta(hours=hours))
        for duty, hours in _HOURS[event_class]
    )
