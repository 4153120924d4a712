"""One file a family: its columns, what it needs, what it is without data, its expression."""
