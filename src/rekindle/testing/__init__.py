"""Fakes, sample worlds and contract suites, shipped so that users can test with them.

Nothing here is imported by a running system; modules that need pytest say so by
being imported from tests alone.
"""
