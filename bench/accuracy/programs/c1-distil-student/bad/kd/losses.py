import torch
import torch.nn as nn
import torch.nn.functional as F


class DistillationLoss(nn.Module):
    """alpha * soft targets (Hinton et al.) + (1 - alpha) * hard labels."""

    def __init__(self, T=4.0, alpha=0.7):
        super().__init__()
        self.T = T
        self.alpha = alpha

    def forward(self, student_logits, teacher_logits, labels):
        log_p = torch.log(F.softmax(student_logits / self.T, dim=1))
        q = torch.softmax(teacher_logits / self.T, dim=1)
        soft = F.kl_div(log_p, q) * self.T ** 2
        hard = F.cross_entropy(student_logits, labels)
        return self.alpha * soft + (1 - self.alpha) * hard
