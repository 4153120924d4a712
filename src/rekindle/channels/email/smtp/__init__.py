"""E-mail through a server that speaks SMTP."""
