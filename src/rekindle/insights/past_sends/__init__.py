"""What other systems sent to people before, and what became of it."""
