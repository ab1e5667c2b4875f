"""From source text to diagnoses; imports no torch and never runs the user's code."""
