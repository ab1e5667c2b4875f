"""Rules of the family `optimizer`."""
