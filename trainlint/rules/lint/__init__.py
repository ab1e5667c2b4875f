"""Rules of the family `lint`."""
