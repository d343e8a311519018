"""The peers of the gateway, written as their own documentation shows, except for how Flask counts."""
