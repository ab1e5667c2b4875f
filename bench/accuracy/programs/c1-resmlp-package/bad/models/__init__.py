from .blocks import MixerBlock, PatchEmbed
from .mixer import PatchMixer, build_model

__all__ = ["MixerBlock", "PatchEmbed", "PatchMixer", "build_model"]
