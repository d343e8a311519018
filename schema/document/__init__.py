"""Checks and preparation of a document before one of its operations is executed: one limit or concern per file."""
