"""Generate Faker transactions on all cores and load them in bulk. It must not import schema or gateway."""
