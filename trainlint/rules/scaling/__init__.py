"""Rules of the family `scaling`."""
