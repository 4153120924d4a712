"""What a team wrote, who is in it, and what was decided: the engine and its gate."""
