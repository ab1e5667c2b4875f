import numpy as np
import torch

from minilm import GPT, GPTConfig

batch_size = 32
max_iters = 5000
eval_interval = 250
eval_iters = 50
learning_rate = 6e-4
grad_clip = 1.0

torch.manual_seed(1337)
device = "cuda" if torch.cuda.is_available() else "cpu"
config = GPTConfig()
data = {split: np.memmap(f"{split}.bin", dtype=np.uint16, mode="r") for split in ("train", "val")}


def get_batch(split):
    arr = data[split]
    ix = torch.randint(len(arr) - config.block_size - 1, (batch_size,)).tolist()
    x = torch.stack([torch.from_numpy(arr[i:i + config.block_size].astype(np.int64)) for i in ix])
    y = torch.stack([torch.from_numpy(arr[i + 1:i + 1 + config.block_size].astype(np.int64)) for i in ix])
    return x.to(device), y.to(device)


model = GPT(config).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=(0.9, 0.95))


@torch.no_grad()
def estimate_loss():
    model.eval()
    losses = torch.zeros(eval_iters)
    for k in range(eval_iters):
        _, loss = model(*get_batch("val"))
        losses[k] = loss.item()
    model.train()
    return losses.mean().item()


model.train()
for it in range(max_iters):
    if it % eval_interval == 0:
        print(f"step {it}: val loss {estimate_loss():.4f}")
    xb, yb = get_batch("train")
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()

torch.save(model.state_dict(), "minilm.pt")
