from .engine import evaluate, train_one_epoch
from .unet import UNet

__all__ = ["UNet", "train_one_epoch", "evaluate"]
