"""The pictures of the documentation, taken of the software itself: ``python -m tools.pictures``."""
