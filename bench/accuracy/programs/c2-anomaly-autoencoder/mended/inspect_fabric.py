import sys

import torch
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, RandomHorizontalFlip, Resize, ToTensor

from textile.trainer import AETrainer


def main(root):
    torch.manual_seed(77)
    good = ImageFolder(f"{root}/good", Compose([Resize((128, 128)), RandomHorizontalFlip(), ToTensor()]))
    mixed = ImageFolder(f"{root}/test", Compose([Resize((128, 128)), ToTensor()]))
    trainer = AETrainer()
    trainer.fit(DataLoader(good, 32, shuffle=True, num_workers=4))
    errors, flaws = zip(*trainer.scores(DataLoader(mixed, 32, num_workers=4)))
    print("ROC AUC", roc_auc_score(flaws, errors))
    torch.save(trainer.ae.state_dict(), "textile.pt")


if __name__ == "__main__":
    main(sys.argv[1])
