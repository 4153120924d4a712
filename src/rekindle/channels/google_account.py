"""Signs calls to Google's APIs with a service account; push and ad audiences go by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from rekindle.errors import ConfigError, OutletFaultError, TemporaryDeliveryError


class GoogleAccount:
    """A service account that threads share; ``name`` is the secret its key is kept in.

    Raises:
        ConfigError: ``key`` is not the JSON of one; ``console`` says where to copy it from.
    """

    def __init__(self, key: str, *, scope: str, name: str, console: str) -> None:
        self._name = name
        self._lock = Lock()
        try:
            given = json.loads(key)
            # google-auth leaves this function without annotations.
            self._credentials: Any = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                given, scopes=[scope]
            )
        except (ValueError, TypeError, KeyError, AttributeError, GoogleAuthError) as error:
            raise ConfigError(
                f"{name} holds no service account; copy the JSON of its key from {console} console"
            ) from error
        self.project = str(given.get("project_id", ""))
        """The project it is of, "" where its key names none."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a call with a JSON body, with a token that holds now.

        Raises:
            OutletFaultError: Google takes the account no more.
            TemporaryDeliveryError: no token can be had now.
        """
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}

    def _token(self) -> str:
        with self._lock:
            if not self._credentials.valid:
                try:
                    with requests.Session() as session:
                        self._credentials.refresh(Request(session))
                except RefreshError as error:
                    if error.retryable:
                        raise TemporaryDeliveryError("Google gives out no token now") from error
                    raise OutletFaultError(
                        f"Google takes the service account of {self._name} no more: {error.args[0]}"
                    ) from error
                except TransportError as error:
                    raise TemporaryDeliveryError("Google cannot be reached for a token") from error
            return str(self._credentials.token)
