import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from models import build_model

CONF = {
    "image_size": 32,
    "patch": 4,
    "dim": 192,
    "depth": 8,
    "num_classes": 10,
    "lr": 5e-4,
    "batch": 128,
    "epochs": 60,
    "root": "./cifar",
}


def get_loaders(conf):
    mean, std = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)
    train_tf = transforms.Compose([
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])
    test_tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    train = datasets.CIFAR10(conf["root"], train=True, download=True, transform=train_tf)
    test = datasets.CIFAR10(conf["root"], train=False, download=True, transform=test_tf)
    return (
        DataLoader(train, conf["batch"], shuffle=True, num_workers=4, pin_memory=True),
        DataLoader(test, 512, num_workers=4),
    )


def train_one_epoch(net, loader, opt, crit, device):
    net.train()
    for img, target in loader:
        img, target = img.to(device), target.to(device)
        opt.zero_grad(set_to_none=True)
        loss = crit(net(img), target)
        loss.backward()
        opt.step()


@torch.inference_mode()
def accuracy(net, loader, device):
    net.eval()
    good = 0
    for img, target in loader:
        good += (net(img.to(device)).argmax(1).cpu() == target).sum().item()
    return good / len(loader.dataset)


def main():
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader, test_loader = get_loaders(CONF)
    net = build_model(CONF).to(device)
    opt = optim.Adam(net.parameters(), lr=CONF["lr"])
    sched = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=CONF["epochs"])
    crit = nn.CrossEntropyLoss(label_smoothing=0.1)
    for epoch in range(CONF["epochs"]):
        train_one_epoch(net, train_loader, opt, crit, device)
        sched.step()
        print(epoch, accuracy(net, test_loader, device))
    torch.save(net.state_dict(), "mixer.pt")


if __name__ == "__main__":
    main()
