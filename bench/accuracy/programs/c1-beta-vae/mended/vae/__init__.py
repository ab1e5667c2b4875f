from .model import BetaVAE
