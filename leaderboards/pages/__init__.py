"""A board as a folder of static files, down to every sample."""
