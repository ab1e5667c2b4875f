"""Siamese signature verification."""
from .losses import ContrastiveLoss
from .network import SiameseNet
