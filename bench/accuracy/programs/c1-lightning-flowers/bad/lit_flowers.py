import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import Flowers102


class FlowersData(L.LightningDataModule):
    def __init__(self, root="data", batch_size=64, workers=4):
        super().__init__()
        self.root, self.batch_size, self.workers = root, batch_size, workers
        norm = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
        self.train_tf = transforms.Compose([
            transforms.RandomResizedCrop(128),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            norm,
        ])
        self.eval_tf = transforms.Compose([
            transforms.Resize(144),
            transforms.CenterCrop(128),
            transforms.ToTensor(),
            norm,
        ])

    def prepare_data(self):
        Flowers102(self.root, download=True)

    def setup(self, stage=None):
        self.train_set = Flowers102(self.root, split="train", transform=self.train_tf)
        self.val_set = Flowers102(self.root, split="val", transform=self.eval_tf)

    def train_dataloader(self):
        return DataLoader(self.train_set, self.batch_size, shuffle=True, num_workers=self.workers)

    def val_dataloader(self):
        return DataLoader(self.val_set, self.batch_size, num_workers=self.workers)


class LitFlowers(L.LightningModule):
    def __init__(self, num_classes=102, width=48, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        chans = [3, width, width * 2, width * 4]
        stages = []
        for a, b in zip(chans, chans[1:]):
            stages.append(nn.Sequential(
                nn.Conv2d(a, b, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.SiLU(),
            ))
        self.backbone = nn.Sequential(*stages)
        self.head = nn.Linear(chans[-1], num_classes)

    def forward(self, x):
        feats = self.backbone(x).mean(dim=(2, 3))
        return F.softmax(self.head(feats))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        acc = (self(x).argmax(dim=1) == y).float().mean()
        self.log("val_acc", acc, prog_bar=True)

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return [optimizer], [scheduler]


if __name__ == "__main__":
    L.seed_everything(2024, workers=True)
    trainer = L.Trainer(
        max_epochs=40,
        accelerator="auto",
        callbacks=[
            EarlyStopping("val_acc", mode="max", patience=8),
            ModelCheckpoint(monitor="val_acc", mode="max"),
        ],
    )
    trainer.fit(LitFlowers(), datamodule=FlowersData())
