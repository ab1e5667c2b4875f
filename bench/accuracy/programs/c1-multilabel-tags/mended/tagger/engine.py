import logging

import torch
from torch import nn

log = logging.getLogger(__name__)


class Engine:
    def __init__(self, net, optim, device, pos_weight=None):
        self.net = net
        self.optim = optim
        self.device = device
        self.crit = nn.BCEWithLogitsLoss(pos_weight=pos_weight)

    def train_one_epoch(self, loader):
        self.net.train()
        losses = []
        for image, tags in loader:
            image = image.to(self.device, non_blocking=True)
            tags = tags.to(self.device, non_blocking=True)
            self.optim.zero_grad()
            loss = self.crit(self.net(image), tags)
            loss.backward()
            self.optim.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def f2(self, loader, cut):
        self.net.eval()
        tp = fp = fn = 0
        for image, tags in loader:
            guess = (self.net(image.to(self.device)) > cut).cpu()
            truth = tags > 0.5
            tp += (guess & truth).sum().item()
            fp += (guess & ~truth).sum().item()
            fn += (~guess & truth).sum().item()
        return 5 * tp / max(5 * tp + 4 * fn + fp, 1)

    def fit(self, train_loader, val_loader, epochs, cut):
        best = -1.0
        for epoch in range(epochs):
            loss = self.train_one_epoch(train_loader)
            score = self.f2(val_loader, cut)
            log.info("epoch %d loss %.4f f2 %.4f", epoch, loss, score)
            if score > best:
                best = score
                torch.save(self.net.state_dict(), "tagger.pth")
        return best
