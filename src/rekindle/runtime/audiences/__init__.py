"""The engine's questions about people, answered from the profiles of now or of a history."""
