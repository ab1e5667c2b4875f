from .nt_xent import nt_xent
from .views import TwoViews, pretrain_transform
