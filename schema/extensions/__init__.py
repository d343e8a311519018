"""What is done to an operation before it is executed: one limit or concern a file."""
