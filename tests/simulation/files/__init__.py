"""Worlds in which everything comes by files and reports, as it does to a business."""
