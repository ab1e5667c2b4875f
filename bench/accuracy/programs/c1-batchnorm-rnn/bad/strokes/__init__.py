from .cell import NormRNN
from .classifier import StrokeClassifier

__all__ = ["NormRNN", "StrokeClassifier"]
