"""The only code that touches tensors: one module for each group of signals."""
