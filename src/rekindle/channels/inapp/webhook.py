"""The way back in: there is none. Apps and pages report to ``/v1/inapp/events``."""
