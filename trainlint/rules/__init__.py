"""The rules: one folder per family, one module per rule; found by walking, listed nowhere."""
