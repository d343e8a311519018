"""Faker transactions, generated on all cores and loaded in bulk."""
