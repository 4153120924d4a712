"""HTTP for machines: event intake in the shape that Segment's client libraries speak."""

from rekindle.web.api.app import Api, build_api
from rekindle.web.api.interfaces import Intake
from rekindle.web.api.openapi import build_openapi

__all__ = ["Api", "Intake", "build_api", "build_openapi"]
