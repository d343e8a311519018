"""The programs that the gateway is measured against, each written as its own documentation shows."""
