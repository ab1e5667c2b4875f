"""Callbacks and handlers for the frameworks that run a training loop; each imports its framework alone."""
