"""Takes down that somebody is to be on a list. Whoever keeps it is told of many at once."""

from __future__ import annotations

from collections.abc import Callable

from rekindle.channels.audience.settings import AudienceSettings
from rekindle.errors import MalformedAddressError, TemporaryDeliveryError
from rekindle.messages import Message, Receipt, Stay, find_problem


class JoiningOutlet:
    """Implements ``rekindle.messages.Outlet``: nothing leaves yet."""

    def __init__(self, settings: AudienceSettings, member: Callable[[str], str]) -> None:
        self._settings, self._member = settings, member

    def send(self, message: Message) -> Receipt:
        """Return the stay that a message asks for."""
        if problem := find_problem(message.address):
            raise MalformedAddressError(problem)
        destination = message.parts["destination"]
        known = self._settings.destinations
        if known is not None and destination not in known:
            raise TemporaryDeliveryError(f"the settings of audience name no list {destination!r}")
        until = message.at + self._settings.stay
        return Receipt(message.key, Stay(destination, self._member(message.address.value), until))

    def close(self) -> None:
        """Nothing is kept open."""
