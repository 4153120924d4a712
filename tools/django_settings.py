"""The settings the type checker reads Django's models with; the program has its own.

The program configures Django from a workspace when it opens one. A type checker has
no workspace, so it gets the smallest settings that know our apps.
"""

from __future__ import annotations

from importlib.util import find_spec

SECRET_KEY = "only for the type checker"
USE_TZ = True
INSTALLED_APPS = [app for app in ("rekindle.ledger", "rekindle.portal") if find_spec(app)]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
