"""What answers over HTTP: pages for customers, and event intake for machines."""

from rekindle.web.serving import build_server, build_site, serve

__all__ = ["build_server", "build_site", "serve"]
