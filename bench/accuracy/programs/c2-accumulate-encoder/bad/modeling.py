import torch
import torch.nn as nn


class EncoderForSequenceClassification(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.tok = nn.Embedding(config["vocab_size"], config["hidden"])
        self.pos = nn.Embedding(config["max_len"], config["hidden"])
        self.ln = nn.LayerNorm(config["hidden"])
        layer = nn.TransformerEncoderLayer(
            config["hidden"], config["heads"], config["hidden"] * 4, config["dropout"],
            activation="gelu", batch_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config["layers"])
        self.dropout = nn.Dropout(config["dropout"])
        self.classifier = nn.Linear(config["hidden"], config["num_labels"])

    def forward(self, input_ids, attention_mask):
        position = torch.arange(input_ids.size(1), device=input_ids.device)
        h = self.ln(self.tok(input_ids) + self.pos(position))
        h = self.encoder(h, src_key_padding_mask=attention_mask == 0)
        return self.classifier(self.dropout(h[:, 0]))
