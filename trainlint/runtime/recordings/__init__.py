"""Recordings as they lie in a file: their tables, what is read of them, thinned out and exported."""
