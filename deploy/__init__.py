"""Deployment of the gateway, and the checks of it."""
