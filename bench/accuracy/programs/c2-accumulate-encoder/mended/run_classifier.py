import logging

import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from data import JsonlDataset
from modeling import EncoderForSequenceClassification

logger = logging.getLogger(__name__)

CONFIG = {
    "vocab_size": 30522, "hidden": 256, "heads": 4, "layers": 4, "max_len": 128,
    "dropout": 0.1, "num_labels": 3,
    "train_batch_size": 8, "gradient_accumulation_steps": 4,
    "learning_rate": 5e-5, "epochs": 3, "warmup": 0.1, "seed": 42,
}


def train(config, model, loader, device):
    accum = config["gradient_accumulation_steps"]
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config["learning_rate"])
    total = len(loader) // accum * config["epochs"]
    warm = int(total * config["warmup"])
    scheduler = LambdaLR(optimizer, lambda s: s / max(1, warm) if s < warm else (total - s) / max(1, total - warm))

    global_step = 0
    for epoch in range(config["epochs"]):
        model.train()
        optimizer.zero_grad()
        for step, (ids, mask, labels) in enumerate(loader):
            logits = model(ids.to(device), mask.to(device))
            loss = F.cross_entropy(logits, labels.to(device))
            (loss / accum).backward()
            if (step + 1) % accum == 0:
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
                global_step += 1
                if global_step % 100 == 0:
                    logger.info("step %d loss %.4f", global_step, loss.item())


def evaluate(model, loader, device):
    model.eval()
    correct = count = 0
    with torch.no_grad():
        for ids, mask, labels in loader:
            pred = model(ids.to(device), mask.to(device)).argmax(dim=-1)
            correct += (pred.cpu() == labels).sum().item()
            count += labels.size(0)
    return correct / count


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    torch.manual_seed(CONFIG["seed"])
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = EncoderForSequenceClassification(CONFIG).to(dev)
    train_dl = DataLoader(JsonlDataset("train.jsonl", CONFIG["max_len"]), CONFIG["train_batch_size"], shuffle=True)
    dev_dl = DataLoader(JsonlDataset("dev.jsonl", CONFIG["max_len"]), 32)
    train(CONFIG, net, train_dl, dev)
    logger.info("dev accuracy %.4f", evaluate(net, dev_dl, dev))
