"""Summarisation with a small T5, plain Accelerate loop."""
import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from datasets import load_dataset
from torch.utils.data import DataLoader
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, DataCollatorForSeq2Seq, get_linear_schedule_with_warmup


def parse_args():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default="t5-small")
    p.add_argument("--dataset", default="xsum")
    p.add_argument("--per_device_batch", type=int, default=16)
    p.add_argument("--learning_rate", type=float, default=3e-4)
    p.add_argument("--num_epochs", type=int, default=2)
    p.add_argument("--warmup", type=int, default=500)
    p.add_argument("--output_dir", default="out")
    p.add_argument("--seed", type=int, default=11)
    return p.parse_args()


def build_data(args, tokenizer, model, accelerator):
    raw = load_dataset(args.dataset)

    def preprocess(rows):
        enc = tokenizer(["summarize: " + d for d in rows["document"]], max_length=512, truncation=True)
        enc["labels"] = tokenizer(text_target=rows["summary"], max_length=64, truncation=True)["input_ids"]
        return enc

    with accelerator.main_process_first():
        tokenised = raw.map(preprocess, batched=True, remove_columns=raw["train"].column_names)
    collate = DataCollatorForSeq2Seq(tokenizer, model=model, label_pad_token_id=-100)
    train = DataLoader(tokenised["train"], batch_size=args.per_device_batch, shuffle=True, collate_fn=collate)
    dev = DataLoader(tokenised["validation"], batch_size=args.per_device_batch, collate_fn=collate)
    return train, dev


def main():
    args = parse_args()
    accelerator = Accelerator()
    set_seed(args.seed)

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForSeq2SeqLM.from_pretrained(args.model)
    train_dl, dev_dl = build_data(args, tokenizer, model, accelerator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate)
    model, optimizer, train_dl, dev_dl = accelerator.prepare(model, optimizer, train_dl, dev_dl)
    lr_scheduler = get_linear_schedule_with_warmup(optimizer, args.warmup, args.num_epochs * len(train_dl))
    lr_scheduler = accelerator.prepare(lr_scheduler)

    for epoch in range(args.num_epochs):
        model.train()
        for step, batch in enumerate(train_dl):
            loss = model(**batch).loss
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            lr_scheduler.step()
            optimizer.step()
            optimizer.zero_grad()
            if step % 100 == 0:
                accelerator.print(f"{epoch}/{step} loss {loss.item():.3f} lr {lr_scheduler.get_last_lr()[0]:.2e}")

        losses = []
        for batch in dev_dl:
            with torch.no_grad():
                out = model(**batch)
            losses.append(accelerator.gather(out.loss.repeat(args.per_device_batch)))
        accelerator.print(f"epoch {epoch} dev loss {torch.cat(losses).mean().item():.3f}")

        accelerator.wait_for_everyone()
        unwrapped = accelerator.unwrap_model(model)
        unwrapped.save_pretrained(args.output_dir, is_main_process=accelerator.is_main_process)


if __name__ == "__main__":
    main()
