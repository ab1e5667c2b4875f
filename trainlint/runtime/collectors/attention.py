"""The weights of an attention, computed again for a few queries, since its kernels never show them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from trainlint.runtime.tensors import is_plain, local

QUERIES: Final = 32
"""Of how many queries of an attention the weights are looked at."""
HEADS: Final = 4
"""Of how many heads."""


@dataclass(frozen=True, slots=True)
class Attention:
    """The queries and keys of some heads of the first example."""

    query: Tensor
    """(heads, queries, features)"""
    key: Tensor
    """(heads, keys, features)"""
    scale: float
    is_causal: bool
    mask: Tensor | None = None
    """(queries, keys), added to the logits or, if it is boolean, true where a key is seen."""

    def look(self) -> tuple[Tensor, Tensor]:
        """Return the mean entropy over its largest possible value, and the largest absolute logit."""
        count, keys = self.query.shape[-2], self.key.shape[-2]
        device = self.query.device
        chosen = torch.arange(count - 1, -1, -max(1, count // QUERIES), device=device)
        with torch.autocast(device.type, enabled=False):
            logits = self.query[:, chosen].float() @ self.key.float().transpose(-1, -2)
        logits = logits * self.scale
        allowed = torch.ones(len(chosen), keys, dtype=torch.bool, device=device)
        if self.is_causal:
            allowed = torch.arange(keys, device=device)[None] <= chosen[:, None]
        if self.mask is not None:
            own = self.mask[chosen]
            allowed = allowed & (own if own.dtype is torch.bool else own > -1e4)
        largest = logits.masked_fill(~allowed, 0).abs().max()
        seen = allowed.sum(-1)
        weights = logits.masked_fill(~allowed, -math.inf).softmax(-1).nan_to_num(0.0)
        entropy = torch.special.entr(weights).sum(-1) / seen.clamp(min=2).log()
        counted = (seen > 1).expand_as(entropy)  # one key leaves no choice
        return (entropy * counted).sum() / counted.sum().clamp(min=1), largest


def attention_of(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002
    scale: float | None = None,
    **others: Any,
) -> Attention | None:
    """Return what `torch.nn.functional.scaled_dot_product_attention` is given."""
    del value, dropout_p, others
    if not (is_plain(query) and is_plain(key)) or query.dim() < 3:
        return None
    query, key = local(query), local(key)
    while query.dim() > 3:  # the heads of the first example
        query, key = query[0], key[0]
        if attn_mask is not None and attn_mask.dim() > 2:
            attn_mask = attn_mask[0]
    while attn_mask is not None and attn_mask.dim() > 2:
        attn_mask = attn_mask[0]
    if attn_mask is not None and attn_mask.shape != (query.shape[-2], key.shape[-2]):
        return None
    heads = min(HEADS, query.shape[0], key.shape[0])
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    mask = None if attn_mask is None else attn_mask.detach()
    return Attention(query[:heads], key[:heads], factor, is_causal, mask)


def multi_head_of(  # noqa: PLR0913 - as `multi_head_attention_forward` has them
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    *args: Any,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    **others: Any,
) -> Attention | None:
    """Return what `nn.MultiheadAttention` makes of a query and a key of (length, batch, features)."""
    del value, args, others
    if in_proj_weight is None or not (is_plain(query) and is_plain(key)):
        return None
    width = embed_dim_to_check
    weight = in_proj_weight.detach()
    bias = None if in_proj_bias is None else in_proj_bias.detach()
    made = []
    for at, given in enumerate((query, key)):
        first = given.detach()[:, 0] if given.dim() > 2 else given.detach()
        part = slice(at * width, (at + 1) * width)
        with torch.autocast(first.device.type, enabled=False):
            own = first.float() @ weight[part].float().T
            own = own if bias is None else own + bias[part].float()
        made.append(own.reshape(own.shape[0], num_heads, -1).transpose(0, 1)[:HEADS])
    mask = attn_mask
    while mask is not None and mask.dim() > 2:
        mask = mask[0]
    if mask is not None and mask.dtype is torch.bool:
        mask = ~mask  # true means hidden there
    scale = 1 / math.sqrt(made[0].shape[-1])
    return Attention(made[0], made[1], scale, is_causal and mask is None, mask)
