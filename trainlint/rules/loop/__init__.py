"""Rules of the family `loop`."""
