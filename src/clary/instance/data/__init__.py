"""Data on its way into an instance and out of it: channels, pipes, archives, uploads."""
