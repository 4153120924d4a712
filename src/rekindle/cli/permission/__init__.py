"""Commands about permission: what people said, what runs out, and whom to leave alone."""
