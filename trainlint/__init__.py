"""Find what makes neural-network training fail, before it runs."""

__version__ = "0.1.0"
