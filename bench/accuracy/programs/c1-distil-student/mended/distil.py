import torch
from torch.utils.data import DataLoader
from torchvision import models, transforms as T
from torchvision.datasets import Food101

from kd import DistillationLoss, Student

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NORM = T.Normalize((0.545, 0.444, 0.344), (0.230, 0.241, 0.239))


def make_teacher(path):
    teacher = models.resnet50(num_classes=101)
    teacher.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    for p in teacher.parameters():
        p.requires_grad_(False)
    return teacher.eval().to(DEVICE)


def distil(student, teacher, train_loader, val_loader, criterion, epochs=30, lr=0.05):
    optimizer = torch.optim.SGD(student.parameters(), lr=lr, momentum=0.9, nesterov=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=epochs * len(train_loader))
    for epoch in range(epochs):
        student.train()
        for x, y in train_loader:
            x, y = x.to(DEVICE), y.to(DEVICE)
            with torch.no_grad():
                teacher_logits = teacher(x)
            loss = criterion(student(x), teacher_logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()

        student.eval()
        ok = 0
        with torch.no_grad():
            for x, y in val_loader:
                ok += (student(x.to(DEVICE)).argmax(1).cpu() == y).sum().item()
        print(f"epoch {epoch}: top-1 {ok / len(val_loader.dataset):.4f}")


def main():
    torch.manual_seed(0)
    train_tf = T.Compose([T.RandomResizedCrop(160), T.RandomHorizontalFlip(), T.ToTensor(), NORM])
    val_tf = T.Compose([T.Resize(176), T.CenterCrop(160), T.ToTensor(), NORM])
    train_loader = DataLoader(Food101("data", "train", transform=train_tf), 128, shuffle=True, num_workers=8)
    val_loader = DataLoader(Food101("data", "test", transform=val_tf), 256, num_workers=8)
    student = Student(101).to(DEVICE)
    distil(student, make_teacher("food_r50.pt"), train_loader, val_loader, DistillationLoss())
    torch.save(student.state_dict(), "student.pt")


if __name__ == "__main__":
    main()
