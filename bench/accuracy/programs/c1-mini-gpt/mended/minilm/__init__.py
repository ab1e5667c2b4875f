from minilm.config import GPTConfig
from minilm.model import GPT

__all__ = ["GPT", "GPTConfig"]
