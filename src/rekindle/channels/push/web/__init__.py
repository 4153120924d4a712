"""Web push: encrypted for one browser, and handed to the service that browser named."""
