"""The errors of seeding, besides the database's own."""

from typing import ClassVar

from database.errors import GatewayError


class SeedingError(GatewayError):
    """The set could not be stored completely; what was stored remains, and the next run completes it."""

    code: ClassVar[str] = "SEEDING"
