from .model import DeepSurrogate
from .trainer import Trainer
