"""Healthy trainings of many kinds: of none of them may a monitor say an error or a warning."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, SequentialLR

from bench.trainings.data import (
    batches,
    diabetes,
    digit_images,
    digits,
    letters,
    ratings,
    spirals,
    waves,
)
from bench.trainings.models import GPT, MLP, VAE, ConvNet, Recurrent, ResNet
from bench.trainings.registry import healthy, watch

if TYPE_CHECKING:
    from trainlint import Monitor


@healthy
def mlp() -> Monitor:
    """An MLP on digits with SGD and momentum, validated after each epoch."""
    x, y, held_out, labels = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    monitor = watch(model, optimizer, loss=criterion)
    for epoch in range(12):
        model.train()
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(held_out), labels)
        monitor.log(val_loss=val_loss, epoch=epoch)
    return monitor


@healthy
def cnn_with_batch_norm() -> Monitor:
    """A CNN with batch normalisation and dropout, with Adam."""
    x, y, held_out, labels = digit_images()
    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer) as monitor:
        for _ in range(8):
            model.train()
            for inputs, targets in batches(x, y):
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), targets).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                logits = model(held_out)
            accuracy = (logits.argmax(1) == labels).float().mean()
            monitor.log(val_loss=F.cross_entropy(logits, labels), accuracy=accuracy)
    return monitor


@healthy
def resnet() -> Monitor:
    """A residual network with SGD, weight decay and a cosine schedule."""
    x, y, _, _ = digit_images()
    model = ResNet()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    epochs = 6
    scheduler = CosineAnnealingLR(optimizer, T_max=epochs)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    monitor = watch(model, optimizer)
    for _ in range(epochs):
        for inputs, targets in batches(x, y):
            loss = criterion(model(inputs), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        scheduler.step()
    return monitor


@healthy
def lstm() -> Monitor:
    """An LSTM that reads digits row by row."""
    x, y, _, _ = digits()
    model = Recurrent(nn.LSTM(8, 64, num_layers=2, batch_first=True), 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    monitor = watch(model, optimizer)
    for _ in range(10):
        for rows, targets in batches(x.view(-1, 8, 8), y):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return monitor


@healthy
def gru() -> Monitor:
    """A GRU that forecasts noisy waves."""
    x, y = waves()
    model = Recurrent(nn.GRU(1, 32, batch_first=True), 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.MSELoss()
    monitor = watch(model, optimizer, loss=criterion)
    for _ in range(15):
        for series, following in batches(x, y, size=32):
            optimizer.zero_grad()
            criterion(model(series), following).backward()
            optimizer.step()
    return monitor


class RowTransformer(nn.Module):
    """A transformer encoder over the rows of an image."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Parameter(torch.randn(1, 8, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, dim_feedforward=64, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, rows: Tensor) -> Tensor:
        """Return logits."""
        hidden = self.encoder(self.embed(rows) + self.position)
        return self.head(self.norm(hidden).mean(1))


@healthy
def transformer_encoder() -> Monitor:
    """A transformer encoder with AdamW and one cycle of the learning rate."""
    x, y, held_out, labels = digits()
    model = RowTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    loader = batches(x.view(-1, 8, 8), y)
    epochs = 7
    scheduler = OneCycleLR(optimizer, 2e-3, total_steps=epochs * len(loader))
    monitor = watch(model, optimizer)
    for _ in range(epochs):
        model.train()
        for rows, targets in loader:
            loss = F.cross_entropy(model(rows), targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            monitor.log(val_loss=F.cross_entropy(model(held_out.view(-1, 8, 8)), labels))
    return monitor


@healthy
def tiny_gpt() -> Monitor:
    """A character-level GPT with decay on matrices only, warm-up and clipping."""
    text, count = letters()
    model = GPT(count)
    decayed = [one for one in model.parameters() if one.dim() >= 2]  # noqa: PLR2004 - matrices
    others = [one for one in model.parameters() if one.dim() < 2]  # noqa: PLR2004 - vectors
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=1e-3,
        betas=(0.9, 0.99),
    )
    monitor = watch(model, optimizer)
    for step in range(150):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1.0, (step + 1) / 30)
        starts = torch.randint(len(text) - 33, (16,))
        tokens = torch.stack([text[at : at + 33] for at in starts])
        logits = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, count), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return monitor


@healthy
def autoencoder() -> Monitor:
    """An autoencoder with a bottleneck of eight numbers."""
    x, _, _, _ = digits()
    model = nn.Sequential(
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 8),
        nn.Linear(8, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.Sigmoid(),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.MSELoss()
    monitor = watch(model, optimizer)
    for _ in range(15):
        for (inputs,) in batches(x):
            loss = criterion(model(inputs), inputs)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return monitor


@healthy
def vae() -> Monitor:
    """A variational autoencoder, whose loss is a sum over pixels."""
    x, _, _, _ = digits()
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(15):
        for (inputs,) in batches(x):
            optimizer.zero_grad()
            output, mu, logvar = model(inputs)
            reconstruction = F.binary_cross_entropy(output, inputs, reduction="sum")
            divergence = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss = (reconstruction + divergence) / len(inputs)
            loss.backward()
            optimizer.step()
    return monitor


@healthy
def gan() -> Monitor:
    """A GAN on digits, after the DCGAN tutorial."""
    x, _, _, _ = digits()
    generator = nn.Sequential(
        nn.Linear(16, 64),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Linear(64, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Linear(64, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
    )
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    monitor = watch([generator, discriminator], [optimizer_g, optimizer_d])
    for _ in range(15):
        for (images,) in batches(x * 2 - 1):
            real, fake = torch.ones(len(images), 1), torch.zeros(len(images), 1)
            optimizer_d.zero_grad()
            criterion(discriminator(images), real).backward()
            made = generator(torch.randn(len(images), 16))
            criterion(discriminator(made.detach()), fake).backward()
            optimizer_d.step()
            optimizer_g.zero_grad()
            criterion(discriminator(made), real).backward()
            optimizer_g.step()
    return monitor


def cart_pole(policy: nn.Module) -> tuple[list[Tensor], list[float]]:
    """Balance a pole until it falls; return the log probabilities of what was done, and rewards."""
    x, speed, angle, turn = (torch.rand(4) * 0.1 - 0.05).tolist()
    chosen, rewards = [], []
    for _ in range(100):
        logits = policy(torch.tensor([[x, speed, angle, turn]]))
        actions = torch.distributions.Categorical(logits=logits)
        action = actions.sample()
        chosen.append(actions.log_prob(action))
        force = 10.0 if action.item() else -10.0
        pushed = (force + 0.05 * turn**2 * math.sin(angle)) / 1.1
        bent = (9.8 * math.sin(angle) - math.cos(angle) * pushed) / (
            0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1)
        )
        moved = pushed - 0.05 * bent * math.cos(angle) / 1.1
        x, speed = x + 0.02 * speed, speed + 0.02 * moved
        angle, turn = angle + 0.02 * turn, turn + 0.02 * bent
        rewards.append(1.0)
        if abs(x) > 2.4 or abs(angle) > 0.21:  # noqa: PLR2004 - the rules of the game
            break
    return chosen, rewards


@healthy
def reinforce() -> Monitor:
    """REINFORCE on a cart with a pole, one episode for each step."""
    policy = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
    monitor = watch(policy, optimizer)
    for _ in range(150):
        chosen, rewards = cart_pole(policy)
        total = 0.0
        returns: list[float] = []
        for reward in reversed(rewards):
            total = reward + 0.99 * total
            returns.insert(0, total)
        advantages = torch.tensor(returns)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        loss = -(torch.cat(chosen) * advantages).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        monitor.log(episode_length=len(rewards))
    return monitor


@healthy
def fine_tuning() -> Monitor:
    """A new head on a frozen backbone, which was trained on half of the classes."""
    x, y, _, _ = digit_images()
    backbone = ConvNet()
    first, second = y < 5, y >= 5  # noqa: PLR2004 - half of the digits
    pretraining = torch.optim.Adam(backbone.parameters(), lr=2e-3)
    for _ in range(3):
        for inputs, targets in batches(x[first], y[first]):
            pretraining.zero_grad()
            F.cross_entropy(backbone(inputs), targets).backward()
            pretraining.step()
    for parameter in backbone.parameters():
        parameter.requires_grad = False
    backbone.fc = nn.Linear(backbone.fc.in_features, 5)
    optimizer = torch.optim.Adam(backbone.fc.parameters(), lr=1e-3)
    monitor = watch(backbone, optimizer)
    backbone.eval()
    for _ in range(10):
        for inputs, targets in batches(x[second], y[second] - 5):
            optimizer.zero_grad()
            F.cross_entropy(backbone(inputs), targets).backward()
            optimizer.step()
    return monitor


@healthy
def whole_fine_tuning() -> Monitor:
    """All layers of a pretrained network at a small rate, its head at a larger one."""
    x, y, _, _ = digit_images()
    model = ResNet(classes=5)
    first, second = y < 5, y >= 5  # noqa: PLR2004 - half of the digits
    pretraining = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(2):
        for inputs, targets in batches(x[first], y[first]):
            pretraining.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            pretraining.step()
    model.fc = nn.Linear(16, 5)
    body = [one for name, one in model.named_parameters() if not name.startswith("fc.")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}]
    )
    monitor = watch(model, optimizer)
    for _ in range(5):
        for inputs, targets in batches(x[second], y[second] - 5, size=32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


class Factors(nn.Module):
    """Matrix factorisation: what somebody likes is a product of two embeddings."""

    def __init__(self, users: int, items: int, width: int = 8) -> None:
        super().__init__()
        self.users = nn.Embedding(users, width, sparse=True)
        self.items = nn.Embedding(items, width, sparse=True)
        nn.init.normal_(self.users.weight, std=0.3)
        nn.init.normal_(self.items.weight, std=0.3)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """Return ratings."""
        return (self.users(user) * self.items(item)).sum(1)


@healthy
def sparse_embeddings() -> Monitor:
    """Embeddings with sparse gradients and SparseAdam."""
    user, item, rating = ratings()
    model = Factors(200, 100)
    optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
    monitor = watch(model, optimizer)
    for _ in range(6):
        for users, items, targets in batches(user, item, rating, size=128):
            optimizer.zero_grad()
            F.mse_loss(model(users, items), targets).backward()
            optimizer.step()
    return monitor


@healthy
def warm_up_and_cosine() -> Monitor:
    """A deeper MLP with AdamW, a linear warm-up and a cosine down to nothing."""
    x, y, held_out, labels = digits()
    model = nn.Sequential(
        nn.Linear(64, 128),
        nn.LayerNorm(128),
        nn.GELU(),
        nn.Linear(128, 128),
        nn.LayerNorm(128),
        nn.GELU(),
        nn.Linear(128, 128),
        nn.LayerNorm(128),
        nn.GELU(),
        nn.Dropout(0.1),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    steps = 12 * 24
    warm_up = LinearLR(optimizer, start_factor=1e-3, total_iters=30)
    cosine = CosineAnnealingLR(optimizer, T_max=steps - 30)
    scheduler = SequentialLR(optimizer, [warm_up, cosine], milestones=[30])
    monitor = watch(model, optimizer)
    for _ in range(12):
        model.train()
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            monitor.log(val_loss=F.cross_entropy(model(held_out), labels))
    return monitor


@healthy
def mixed_precision() -> Monitor:
    """A CNN under autocast to bfloat16."""
    x, y, _, _ = digit_images()
    model = ConvNet(width=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(5):
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
    return monitor


@healthy
def regression() -> Monitor:
    """A small regression of a disease's progress on ten measurements, with weight decay."""
    x, y = diabetes()
    model = nn.Sequential(
        nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)
    criterion = nn.MSELoss()
    monitor = watch(model, optimizer, loss=criterion)
    for _ in range(30):
        for inputs, targets in batches(x[:350], y[:350], size=32):
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
    return monitor


@healthy
def tanh_fits_a_curve() -> Monitor:
    """A network with tanh that learns a sine, on the whole data at once."""
    x = torch.linspace(-3, 3, 200).unsqueeze(1)
    y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
    model = nn.Sequential(
        nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    monitor = watch(model, optimizer)
    for _ in range(400):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
    return monitor


@healthy
def accumulated_gradients() -> Monitor:
    """Four small batches for each step, each loss divided by four."""
    x, y, _, _ = digits()
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    monitor = watch(model, optimizer)
    for _ in range(10):
        optimizer.zero_grad()
        for number, (inputs, targets) in enumerate(batches(x, y, size=16), start=1):
            loss = F.cross_entropy(model(inputs), targets) / 4
            loss.backward()
            if number % 4 == 0:
                optimizer.step()
                optimizer.zero_grad()
    return monitor


@healthy
def distillation() -> Monitor:
    """A student learns what a teacher in evaluation mode says."""
    x, y, _, _ = digits()
    teacher = MLP(width=128)
    teaching = torch.optim.Adam(teacher.parameters(), lr=2e-3)
    for _ in range(5):
        for inputs, targets in batches(x, y):
            teaching.zero_grad()
            F.cross_entropy(teacher(inputs), targets).backward()
            teaching.step()
    teacher.eval()
    student = MLP(width=32)
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
    monitor = watch(student, optimizer)
    for _ in range(12):
        for inputs, targets in batches(x, y):
            with torch.no_grad():
                soft = F.softmax(teacher(inputs) / 2, dim=1)
            logits = student(inputs)
            hard = F.cross_entropy(logits, targets)
            loss = 0.5 * hard + 2 * F.kl_div(
                F.log_softmax(logits / 2, dim=1), soft, reduction="batchmean"
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return monitor


@healthy
def multi_label() -> Monitor:
    """Three yes-or-no questions about each digit."""
    x, y, _, _ = digits()
    answers = torch.stack((y % 2 == 0, y > 4, y % 3 == 0), dim=1).float()  # noqa: PLR2004 - questions
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(12):
        for inputs, targets in batches(x, answers):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@healthy
def lbfgs() -> Monitor:
    """Logistic regression with L-BFGS, which evaluates the loss several times for each step."""
    x, y, _, _ = digits()
    model = nn.Linear(64, 10)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)
    monitor = watch(model, optimizer)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y) + 1e-3 * model.weight.pow(2).sum()
        loss.backward()
        return loss

    for _ in range(20):
        optimizer.step(closure)
    return monitor


@healthy
def spirals_with_sgd() -> Monitor:
    """Two spirals told apart by a network with ReLU, full batches, a falling step rate."""
    x, y = spirals()
    model = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=200, gamma=0.3)
    monitor = watch(model, optimizer)
    for _ in range(500):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        scheduler.step()
    return monitor


@healthy
def q_learning() -> Monitor:
    """Deep Q-learning on a line of ten places, with a target network and a replay buffer."""
    network = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2))
    target = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    # A value function chases its own estimates: its loss need not fall.
    monitor = watch(network, optimizer, ignore=["diverging-loss", "loss-spike"])
    eye = torch.eye(10)
    memory: list[tuple[int, int, float, int]] = []
    place = 0
    for step in range(400):
        with torch.no_grad():
            best = int(network(eye[place]).argmax())
        action = int(torch.randint(2, ())) if torch.rand(()) < max(0.1, 1 - step / 200) else best
        following = max(0, min(9, place + (1 if action else -1)))
        reward = 1.0 if following == 9 else 0.0  # noqa: PLR2004 - the last place
        memory.append((place, action, reward, following))
        place = 0 if reward else following
        chosen = [memory[int(torch.randint(len(memory), ()))] for _ in range(32)]
        places, actions, rewards, then = (torch.tensor(one) for one in zip(*chosen, strict=True))
        with torch.no_grad():
            goal = rewards + 0.9 * target(eye[then]).max(1).values * (1 - rewards)
        value = network(eye[places]).gather(1, actions.unsqueeze(1)).squeeze(1)
        loss = F.smooth_l1_loss(value, goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            target.load_state_dict(network.state_dict())
    return monitor
