"""The user's own code: where it builds each module, found by reading it."""
