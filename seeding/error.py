"""What can go wrong while seeding, beside the database's own errors."""

from typing import ClassVar

from database.errors import GatewayError


class SeedingError(GatewayError):
    """The set could not be stored completely; what is stored stays, and the next run finds it."""

    code: ClassVar[str] = "SEEDING"
