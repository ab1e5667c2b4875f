"""The events of a training step, the words in which loops are described."""

from __future__ import annotations

from enum import StrEnum


class LoopEvent(StrEnum):
    """What happens in a training loop.

    The order in which a sound loop does it::

        model.train()                                   # TRAIN_MODE
        for epoch in range(epochs):
            for inputs, targets in loader:
                optimizer.zero_grad()                   # ZERO_GRAD
                with torch.autocast("cuda"):
                    outputs = model(inputs)             # FORWARD
                    loss = criterion(outputs, targets)  # LOSS
                scaler.scale(loss).backward()           # BACKWARD
                scaler.unscale_(optimizer)              # UNSCALE
                clip_grad_norm_(model.parameters(), 1)  # CLIP
                scaler.step(optimizer)                  # STEP
                scaler.update()                         # SCALER_UPDATE
            scheduler.step()                            # SCHEDULER_STEP
            model.eval()                                # EVAL_MODE
    """

    TRAIN_MODE = "train mode"
    ZERO_GRAD = "zero grad"
    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    UNSCALE = "unscale"
    CLIP = "clip"
    STEP = "step"
    SCALER_UPDATE = "scaler update"
    SCHEDULER_STEP = "scheduler step"
    EVAL_MODE = "eval mode"
