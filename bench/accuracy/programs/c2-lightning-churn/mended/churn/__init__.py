from .datamodule import ChurnData
from .module import ChurnNet
