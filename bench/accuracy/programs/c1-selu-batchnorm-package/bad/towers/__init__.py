from .tower import Tower
from .two_tower import TwoTower

__all__ = ["Tower", "TwoTower"]
