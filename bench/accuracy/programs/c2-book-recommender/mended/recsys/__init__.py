from .data import load_splits
from .model import NeuMF
