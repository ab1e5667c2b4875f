from .model import CharLM
from .text import Corpus

__all__ = ["CharLM", "Corpus"]
