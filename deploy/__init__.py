"""What deploys the gateway, and what checks it."""
