"""Lets `python -m seeding` do what `gateway seed` does."""

from seeding.cli import seed

if __name__ == "__main__":
    seed()
