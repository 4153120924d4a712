"""The way back in: there is none. What came of a task is said by ``rekindle tasks done``."""
