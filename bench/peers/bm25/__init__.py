"""A peer of our ranking by words."""
