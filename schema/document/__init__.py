"""What is done to a document before an operation of it is executed: one limit or concern a file."""
