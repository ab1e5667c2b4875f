# Transfer learning on Oxford flowers, 102 classes.
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

DATA = "flower_data"
NUM_CLASSES = 102
EPOCHS = 20
BATCH = 32

normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

data_transforms = {
    "train": transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(0.2, 0.2, 0.2),
        transforms.ToTensor(),
        normalize,
    ]),
    "valid": transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.ToTensor(),
        normalize,
    ]),
}

image_datasets = {x: datasets.ImageFolder(f"{DATA}/{x}", data_transforms[x]) for x in ["train", "valid"]}
dataloaders = {
    "train": DataLoader(image_datasets["train"], batch_size=BATCH, shuffle=True, num_workers=4),
    "valid": DataLoader(image_datasets["valid"], batch_size=BATCH, shuffle=False, num_workers=4),
}
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

torch.manual_seed(7)
model_ft = models.resnet34(weights="IMAGENET1K_V1")
model_ft = model_ft.to(device)
optimizer_ft = optim.SGD(model_ft.parameters(), lr=0.001, momentum=0.9, nesterov=True)
num_ftrs = model_ft.fc.in_features
model_ft.fc = nn.Linear(num_ftrs, NUM_CLASSES).to(device)

criterion = nn.CrossEntropyLoss()
exp_lr_scheduler = optim.lr_scheduler.StepLR(optimizer_ft, step_size=7, gamma=0.1)


def run_phase(phase):
    training = phase == "train"
    model_ft.train(training)
    loss_sum, corrects = 0.0, 0
    for inputs, labels in dataloaders[phase]:
        inputs, labels = inputs.to(device), labels.to(device)
        with torch.set_grad_enabled(training):
            outputs = model_ft(inputs)
            loss = criterion(outputs, labels)
            if training:
                optimizer_ft.zero_grad()
                loss.backward()
                optimizer_ft.step()
        loss_sum += loss.item() * inputs.size(0)
        corrects += torch.sum(outputs.argmax(1) == labels).item()
    n = len(image_datasets[phase])
    return loss_sum / n, corrects / n


best = 0.0
for epoch in range(EPOCHS):
    train_loss, train_acc = run_phase("train")
    exp_lr_scheduler.step()
    valid_loss, valid_acc = run_phase("valid")
    print(f"{epoch:2d} train {train_loss:.4f}/{train_acc:.4f} valid {valid_loss:.4f}/{valid_acc:.4f}")
    if valid_acc > best:
        best = valid_acc
        torch.save(model_ft.state_dict(), "flowers_best.pth")
