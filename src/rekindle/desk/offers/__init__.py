"""What a team asks about offers: whether they are sound, how they stand, what they earned."""
