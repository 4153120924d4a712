"""E-mail by SMTP, through any server or provider that speaks it."""

from rekindle.channels.email_smtp.outlet import PASSWORD, Outlet

SUMMARY = "sends e-mail through an SMTP server"
SECRETS = (PASSWORD,)

__all__ = ["SECRETS", "SUMMARY", "Outlet"]
