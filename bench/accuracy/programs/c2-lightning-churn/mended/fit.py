import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from churn import ChurnData, ChurnNet

if __name__ == "__main__":
    pl.seed_everything(13)
    trainer = pl.Trainer(
        max_epochs=40,
        accelerator="auto",
        callbacks=[EarlyStopping("val_loss", patience=6), ModelCheckpoint(monitor="val_loss")],
    )
    trainer.fit(ChurnNet(), datamodule=ChurnData())
