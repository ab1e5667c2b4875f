"""Rules of the family `init`."""
