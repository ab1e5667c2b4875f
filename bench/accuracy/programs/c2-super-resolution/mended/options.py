from dataclasses import dataclass


@dataclass
class Options:
    train_dir: str = "DIV2K/train"
    val_dir: str = "DIV2K/val"
    scale: int = 4
    crop: int = 96
    batch_size: int = 32
    epochs: int = 100
    base_lr: float = 1e-5
    max_lr: float = 4e-4
    clip: float = 0.1
