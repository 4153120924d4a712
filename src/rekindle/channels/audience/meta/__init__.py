"""Custom Audiences of Meta, by the Marketing API."""
