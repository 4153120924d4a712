"""Shows what a journey would say before it says it: on a page, or to an address of one's own."""

from rekindle.worker.trying.letters import Draft, write_letters
from rekindle.worker.trying.pages import Preview, save_preview
from rekindle.worker.trying.readers import Reader, find_readers
from rekindle.worker.trying.sending import TestMail, send_test

__all__ = [
    "Draft",
    "Preview",
    "Reader",
    "TestMail",
    "find_readers",
    "save_preview",
    "send_test",
    "write_letters",
]
