"""The settings the type checker reads our models with.

The program has no settings module: importing the ledger configures Django. A type
checker insists on one, so this imports the ledger and repeats what it was given.
"""

from __future__ import annotations

from rekindle import ledger
from rekindle.ledger import setup

ledger.configure()
SECRET_KEY = "only for the type checker"
INSTALLED_APPS = setup.SETTINGS["INSTALLED_APPS"]
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = setup.SETTINGS["DEFAULT_AUTO_FIELD"]
