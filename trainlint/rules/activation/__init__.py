"""Rules of the family `activation`."""
