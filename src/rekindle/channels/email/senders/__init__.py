"""What the world knows of a sender: the records of its domain."""
