"""What a subscription is told of an event, before any selection."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Update:
    """What a subscription's field gives for an event.

    Attributes:
        value: the field's value.
        key: the same for all who are given this value, and for no other value of the field.
        event_id: where to resume after it, if that can be said.
    """

    value: object
    key: Hashable
    event_id: str | None = None
