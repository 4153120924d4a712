"""E-mail through the HTTP interfaces of mail providers, which django-anymail speaks."""
