import torch
from torch import nn


class Trainer:
    def __init__(self, model, args, train_dataloader, eval_dataloader):
        self.model = model
        self.args = args
        self.train_dataloader = train_dataloader
        self.eval_dataloader = eval_dataloader
        self.loss_fct = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=args["learning_rate"])
        steps = args["num_train_epochs"] * len(train_dataloader)
        self.lr_scheduler = torch.optim.lr_scheduler.LinearLR(self.optimizer, 1.0, 0.0, total_iters=steps)

    def train(self):
        for epoch in range(self.args["num_train_epochs"]):
            self.model.train()
            for batch in self.train_dataloader:
                self.training_step(batch)
            print({"epoch": epoch, "eval_accuracy": self.evaluate()})

    def training_step(self, batch):
        outputs = self.model(batch["input_ids"])
        loss = self.loss_fct(outputs, batch["labels"])
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.args["max_grad_norm"])
        self.optimizer.step()
        self.lr_scheduler.step()
        self.optimizer.zero_grad()

    def evaluate(self):
        self.model.eval()
        correct, total = 0, 0
        with torch.no_grad():
            for batch in self.eval_dataloader:
                predictions = self.model(batch["input_ids"]).argmax(-1)
                correct += (predictions == batch["labels"]).sum().item()
                total += len(predictions)
        return correct / total
