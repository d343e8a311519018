"""What a subscription's field yields for an event, before any selection is applied."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Update:
    """One event of a subscription's field.

    Attributes:
        value: the field's value.
        key: identifies the value: the same for all subscribers that receive it, and for no other value of the field.
        event_id: the id to resume after; None if the field's events have none.
    """

    value: object
    key: Hashable
    event_id: str | None = None
