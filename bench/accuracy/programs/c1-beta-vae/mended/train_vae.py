import torch
import torch.optim as optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchvision.utils import save_image

from vae import BetaVAE

PARAMS = {"latent": 16, "beta": 2.0}
OPTIM = {"lr": 1e-3, "betas": (0.9, 0.999)}
EPOCHS, BATCH = 20, 128


def run_epoch(model, loader, device, opt=None):
    """One pass over the data; trains when an optimiser is given."""
    model.train(opt is not None)
    total = 0.0
    with torch.set_grad_enabled(opt is not None):
        for x, _ in loader:
            x = x.to(device)
            recon, mu, logvar = model(x)
            loss = model.loss(recon, x, mu, logvar)
            if opt is not None:
                opt.zero_grad()
                loss.backward()
                opt.step()
            total += loss.item() * len(x)
    return total / len(loader.dataset)


def main():
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    to_tensor = transforms.ToTensor()
    train = DataLoader(datasets.MNIST("data", train=True, download=True, transform=to_tensor), BATCH, shuffle=True)
    test = DataLoader(datasets.MNIST("data", train=False, transform=to_tensor), BATCH)
    model = BetaVAE(**PARAMS, device=device).to(device)
    opt = optim.Adam(model.parameters(), **OPTIM)
    for epoch in range(EPOCHS):
        tr = run_epoch(model, train, device, opt)
        te = run_epoch(model, test, device)
        print(f"epoch {epoch:2d}  train {tr:8.3f}  test {te:8.3f}")
        model.eval()
        with torch.no_grad():
            z = torch.randn(64, PARAMS["latent"], device=device)
            pictures = model.decoder(z).sigmoid().view(64, 1, 28, 28)
        save_image(pictures.cpu(), f"digits_{epoch:02d}.png")
    torch.save(model.state_dict(), "vae.pt")


if __name__ == "__main__":
    main()
