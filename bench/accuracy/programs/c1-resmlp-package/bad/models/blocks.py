from torch import nn


class PatchEmbed(nn.Module):
    """Cut the picture in patches and project each one."""

    def __init__(self, in_chans, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(in_chans, dim, kernel_size=patch, stride=patch)

    def forward(self, img):
        return self.proj(img).flatten(2).transpose(1, 2)


class MixerBlock(nn.Module):
    def __init__(self, n_tokens, dim, drop=0.1):
        super().__init__()
        self.drop = drop
        self.norm_tok = nn.LayerNorm(dim)
        self.norm_ch = nn.LayerNorm(dim)
        self.tok_in = nn.Linear(n_tokens, n_tokens * 2)
        self.tok_out = nn.Linear(n_tokens * 2, n_tokens)
        self.ch_in = nn.Linear(dim, dim * 4)
        self.ch_out = nn.Linear(dim * 4, dim)
        self.act = nn.GELU()

    def forward(self, x):
        y = self.norm_tok(x).transpose(1, 2)
        y = self.tok_out(self.act(self.tok_in(y))).transpose(1, 2)
        x = x + nn.Dropout(self.drop)(y)
        y = self.ch_out(self.act(self.ch_in(self.norm_ch(x))))
        return x + y
