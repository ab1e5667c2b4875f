from .model import KeywordSpotter
