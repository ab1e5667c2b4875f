from .losses import DistillationLoss
from .nets import Student
