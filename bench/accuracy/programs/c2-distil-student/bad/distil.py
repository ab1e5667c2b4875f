import argparse

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR100
from torchvision.models import resnet50
from torchvision.transforms import v2 as T

T_SOFT = 4.0
ALPHA = 0.7
STATS = dict(mean=[0.507, 0.487, 0.441], std=[0.267, 0.256, 0.276])


class Student(nn.Module):
    def __init__(self, n_classes=100):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 128, 3, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
            nn.Conv2d(128, 256, 3, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.fc = nn.Linear(256, n_classes)

    def forward(self, x):
        return self.fc(self.trunk(x))


def loaders(root, bs):
    to_float = [T.ToImage(), T.ToDtype(torch.float32, scale=True), T.Normalize(**STATS)]
    train_tf = T.Compose([T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), *to_float])
    test_tf = T.Compose([T.RandomCrop(32, padding=4), *to_float])
    train = CIFAR100(root, train=True, transform=train_tf, download=True)
    test = CIFAR100(root, train=False, transform=test_tf)
    return DataLoader(train, bs, shuffle=True, num_workers=4), DataLoader(test, 500, num_workers=4)


def kd_loss(student_logits, teacher_logits, y):
    soft = F.kl_div(
        F.log_softmax(student_logits / T_SOFT, dim=1),
        F.softmax(teacher_logits / T_SOFT, dim=1),
        reduction="batchmean",
    ) * T_SOFT ** 2
    return ALPHA * soft + (1 - ALPHA) * F.cross_entropy(student_logits, y)


def top1(student, loader):
    student.eval
    hits = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (student(x.cuda()).argmax(1).cpu() == y).sum().item()
    return hits / len(loader.dataset)


def main(cli):
    torch.manual_seed(cli.seed)
    train_loader, test_loader = loaders(cli.root, cli.batch)
    teacher = resnet50(num_classes=100)
    teacher.load_state_dict(torch.load(cli.teacher, map_location="cpu", weights_only=True))
    teacher = teacher.cuda().eval()
    teacher.requires_grad_(False)

    student = Student().cuda()
    opt = optim.SGD(student.parameters(), lr=cli.lr, momentum=0.9, nesterov=True)
    sched = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=cli.epochs)
    for epoch in range(cli.epochs):
        student.train()
        for x, y in train_loader:
            x, y = x.cuda(non_blocking=True), y.cuda(non_blocking=True)
            opt.zero_grad(set_to_none=True)
            with torch.autocast("cuda", dtype=torch.float16):
                with torch.no_grad():
                    wisdom = teacher(x)
                loss = kd_loss(student(x), wisdom, y)
                loss.backward()
            opt.step()
        sched.step()
        print(f"{epoch:3d}  loss {loss.item():.3f}  top-1 {top1(student, test_loader):.4f}")
    torch.save(student.state_dict(), "student.pt")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--root", default="data")
    ap.add_argument("--teacher", default="teacher.pt")
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=0.05)
    ap.add_argument("--epochs", type=int, default=120)
    ap.add_argument("--seed", type=int, default=4)
    main(ap.parse_args())
