"""Keeps the house: journeys that do harm, who is silent, whose permission runs out."""
