"""What somebody is known by on a list of ads: the hash of their e-mail address."""

from rekindle.channels.audience.members.hashing import google_member, meta_member, plain_member
from rekindle.channels.audience.members.joining import JoiningOutlet

__all__ = ["JoiningOutlet", "google_member", "meta_member", "plain_member"]
