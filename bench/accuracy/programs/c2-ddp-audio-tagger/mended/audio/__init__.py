from .dataset import ClipDataset
from .model import AudioTagger
