"""The way back in: there is none. What became of a removal is asked for by the worker."""
