from .engine import Engine
from .net import TagNet

__all__ = ["Engine", "TagNet"]
