from torch import nn

from .blocks import MixerBlock, PatchEmbed


class PatchMixer(nn.Module):
    def __init__(self, image_size, patch, in_chans, dim, depth, num_classes):
        super().__init__()
        n_tokens = (image_size // patch) ** 2
        self.embed = PatchEmbed(in_chans, dim, patch)
        block = MixerBlock(n_tokens, dim)
        self.trunk = nn.Sequential(*[block] * depth)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, img):
        tokens = self.trunk(self.embed(img))
        return self.head(self.norm(tokens).mean(dim=1)).relu()


def build_model(conf):
    return PatchMixer(
        image_size=conf["image_size"],
        patch=conf["patch"],
        in_chans=3,
        dim=conf["dim"],
        depth=conf["depth"],
        num_classes=conf["num_classes"],
    )
