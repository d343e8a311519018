"""The programs that the gateway is measured against, written as their documentation shows, but for how Flask counts."""
