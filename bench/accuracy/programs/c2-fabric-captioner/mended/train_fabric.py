import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch.utils.data import DataLoader

from captioner import Captioner
from coco_features import CocoFeatures, pad_collate

HPARAMS = dict(lr=4e-4, epochs=12, batch_size=32, clip=5.0)


def caption_loss(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=0)


def validate(fabric, net, loader):
    net.eval()
    total = torch.zeros((), device=fabric.device)
    with torch.no_grad():
        for feats, tokens in loader:
            total += caption_loss(net(feats, tokens), tokens)
    return fabric.all_reduce(total / len(loader)).item()


def main():
    fabric = Fabric(accelerator="auto", devices="auto", precision="bf16-mixed")
    fabric.launch()
    fabric.seed_everything(1234)

    train = CocoFeatures("train2017")
    net = Captioner(len(train.vocab))
    optimizer = torch.optim.AdamW(net.parameters(), lr=HPARAMS["lr"])
    net, optimizer = fabric.setup(net, optimizer)
    train_loader, val_loader = fabric.setup_dataloaders(
        DataLoader(train, HPARAMS["batch_size"], shuffle=True, collate_fn=pad_collate, num_workers=4),
        DataLoader(CocoFeatures("val2017", vocab=train.vocab), 64, collate_fn=pad_collate, num_workers=4),
    )

    best = float("inf")
    for epoch in range(HPARAMS["epochs"]):
        net.train()
        for step, (feats, tokens) in enumerate(train_loader):
            logits = net(feats, tokens)
            loss = caption_loss(logits, tokens)
            optimizer.zero_grad()
            fabric.backward(loss)
            fabric.clip_gradients(net, optimizer, max_norm=HPARAMS["clip"])
            optimizer.step()
            if step % 200 == 0:
                fabric.print(f"epoch {epoch} step {step} loss {loss.item():.3f}")
        val = validate(fabric, net, val_loader)
        fabric.print(f"epoch {epoch} val {val:.3f}")
        if val < best:
            best = val
            fabric.save("captioner.ckpt", {"net": net, "optimizer": optimizer, "epoch": epoch})


if __name__ == "__main__":
    main()
