import click
import torch
from torch import nn
from torch.utils.data import DataLoader

from dataset import CellCrops
from unet import UNet


def iou(model, loader, device):
    model.eval()
    inter = union = 0
    with torch.no_grad():
        for image, mask in loader:
            pred = model(image.to(device)).argmax(1).cpu()
            inter += ((pred == 1) & (mask == 1)).sum().item()
            union += ((pred == 1) | (mask == 1)).sum().item()
    return inter / max(union, 1)


@click.command()
@click.option("--data", default="cells")
@click.option("--epochs", default=50)
@click.option("--batch-size", default=16)
@click.option("--lr", default=3e-4)
def main(data, epochs, batch_size, lr):
    torch.manual_seed(0)
    device = torch.device("cuda")
    train_loader = DataLoader(CellCrops(data, "train"), batch_size=batch_size, shuffle=True, num_workers=4)
    val_loader = DataLoader(CellCrops(data, "val"), batch_size=batch_size, num_workers=4)
    model = UNet().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cuda")

    best = 0.0
    for epoch in range(epochs):
        model.train()
        for image, mask in train_loader:
            image, mask = image.to(device), mask.to(device)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cuda", dtype=torch.float16):
                loss = criterion(model(image), mask)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        score = iou(model, val_loader, device)
        click.echo(f"epoch {epoch}: IoU {score:.3f}")
        if score > best:
            best = score
            torch.save(model.state_dict(), "unet_best.pt")


if __name__ == "__main__":
    main()
