"""What the model knows of PyTorch's interface: signatures, names of one thing, groups of layers."""

from __future__ import annotations

_CONV = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
)
_CONV_TRANSPOSE = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "output_padding",
    "groups",
    "bias",
    "dilation",
)
_BATCH_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
_RECURRENT = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
)
_RECURRENT_CELL = ("input_size", "hidden_size", "bias")
_LOSS = ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing")

LAYER_PARAMETERS: dict[str, tuple[str, ...]] = {
    "Linear": ("in_features", "out_features", "bias"),
    "LazyLinear": ("out_features", "bias"),
    "Bilinear": ("in1_features", "in2_features", "out_features", "bias"),
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "Conv3d": _CONV,
    "LazyConv1d": _CONV[1:],
    "LazyConv2d": _CONV[1:],
    "LazyConv3d": _CONV[1:],
    "ConvTranspose1d": _CONV_TRANSPOSE,
    "ConvTranspose2d": _CONV_TRANSPOSE,
    "ConvTranspose3d": _CONV_TRANSPOSE,
    "BatchNorm1d": _BATCH_NORM,
    "BatchNorm2d": _BATCH_NORM,
    "BatchNorm3d": _BATCH_NORM,
    "SyncBatchNorm": _BATCH_NORM,
    "InstanceNorm1d": _BATCH_NORM,
    "InstanceNorm2d": _BATCH_NORM,
    "InstanceNorm3d": _BATCH_NORM,
    "GroupNorm": ("num_groups", "num_channels", "eps", "affine"),
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine", "bias"),
    "RMSNorm": ("normalized_shape", "eps", "elementwise_affine"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "EmbeddingBag": ("num_embeddings", "embedding_dim"),
    "RNN": (
        "input_size",
        "hidden_size",
        "num_layers",
        "nonlinearity",
        "bias",
        "batch_first",
        "dropout",
    ),
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "RNNCell": (*_RECURRENT_CELL, "nonlinearity"),
    "LSTMCell": _RECURRENT_CELL,
    "GRUCell": _RECURRENT_CELL,
    "Dropout": ("p", "inplace"),
    "Dropout1d": ("p", "inplace"),
    "Dropout2d": ("p", "inplace"),
    "Dropout3d": ("p", "inplace"),
    "AlphaDropout": ("p", "inplace"),
    "FeatureAlphaDropout": ("p", "inplace"),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "LeakyReLU": ("negative_slope", "inplace"),
    "ELU": ("alpha", "inplace"),
    "PReLU": ("num_parameters", "init"),
    "RReLU": ("lower", "upper", "inplace"),
    "ReLU": ("inplace",),
    "SELU": ("inplace",),
    "CrossEntropyLoss": _LOSS,
    "NLLLoss": _LOSS[:5],
    "BCELoss": ("weight", "size_average", "reduce", "reduction"),
    "BCEWithLogitsLoss": ("weight", "size_average", "reduce", "reduction", "pos_weight"),
    "MSELoss": ("size_average", "reduce", "reduction"),
    "L1Loss": ("size_average", "reduce", "reduction"),
    "KLDivLoss": ("size_average", "reduce", "reduction", "log_target"),
}
"""The parameters of layers and loss modules of ``torch.nn``, in the order of their position."""

LINEAR_LAYERS = frozenset(
    f"{lazy}{name}" for lazy in ("", "Lazy") for name in ("Linear", "Conv1d", "Conv2d", "Conv3d")
) | {"Bilinear", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"}
"""Layers that multiply their input by a weight and add a bias."""

RECURRENT_LAYERS = frozenset({"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"})

BATCH_NORMS = frozenset(
    {
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "SyncBatchNorm",
        "LazyBatchNorm1d",
        "LazyBatchNorm2d",
        "LazyBatchNorm3d",
    }
)

NORMALISATIONS = BATCH_NORMS | {
    "LayerNorm",
    "GroupNorm",
    "RMSNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LocalResponseNorm",
}

DROPOUTS = frozenset(
    {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"}
)

RELU_FAMILY = frozenset({"ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU"})
"""Rectifiers and their variants: what He initialisation is for."""

SATURATING = frozenset({"Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "Softsign"})

ACTIVATIONS = (
    RELU_FAMILY
    | SATURATING
    | {
        "SELU",
        "GELU",
        "SiLU",
        "Mish",
        "Softplus",
        "Hardswish",
        "Softmax",
        "LogSoftmax",
        "Softmin",
        "LogSigmoid",
        "GLU",
        "Threshold",
        "Tanhshrink",
        "Softshrink",
        "Hardshrink",
    }
)

FUNCTIONS: dict[str, str] = {
    "relu": "ReLU",
    "relu_": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "leaky_relu_": "LeakyReLU",
    "prelu": "PReLU",
    "rrelu": "RReLU",
    "rrelu_": "RReLU",
    "elu": "ELU",
    "elu_": "ELU",
    "celu": "CELU",
    "selu": "SELU",
    "selu_": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "sigmoid": "Sigmoid",
    "sigmoid_": "Sigmoid",
    "expit": "Sigmoid",
    "tanh": "Tanh",
    "tanh_": "Tanh",
    "hardsigmoid": "Hardsigmoid",
    "hardtanh": "Hardtanh",
    "hardswish": "Hardswish",
    "softsign": "Softsign",
    "softplus": "Softplus",
    "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "softmin": "Softmin",
    "logsigmoid": "LogSigmoid",
    "glu": "GLU",
    "dropout": "Dropout",
    "dropout1d": "Dropout1d",
    "dropout2d": "Dropout2d",
    "dropout3d": "Dropout3d",
    "alpha_dropout": "AlphaDropout",
    "feature_alpha_dropout": "FeatureAlphaDropout",
    "batch_norm": "BatchNorm",
    "layer_norm": "LayerNorm",
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm",
    "rms_norm": "RMSNorm",
    "max_pool1d": "MaxPool1d",
    "max_pool2d": "MaxPool2d",
    "max_pool3d": "MaxPool3d",
    "avg_pool1d": "AvgPool1d",
    "avg_pool2d": "AvgPool2d",
    "avg_pool3d": "AvgPool3d",
    "adaptive_avg_pool1d": "AdaptiveAvgPool1d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "adaptive_max_pool2d": "AdaptiveMaxPool2d",
    "interpolate": "Upsample",
    "normalize": "normalize",
    "linear": "linear",
    "conv1d": "conv1d",
    "conv2d": "conv2d",
    "conv3d": "conv3d",
    "log": "log",
    "exp": "exp",
    "clamp": "clamp",
    "clip": "clamp",
    "argmax": "argmax",
    "cat": "cat",
    "concat": "cat",
    "stack": "stack",
    "add": "add",
}
"""Functions of ``torch`` and ``torch.nn.functional``, and methods of tensors, by what they do: the
name of the module of ``torch.nn`` where there is one."""

TABLES_OF_ACTIVATIONS = frozenset({"transformers.activations.ACT2FN", "transformers.ACT2FN"})
"""Tables whose items are activations by the keys of a configuration of transformers."""

_KEYS_LIKE_FUNCTIONS = (
    *("gelu", "hardswish", "leaky_relu", "mish", "prelu"),
    *("relu", "relu6", "sigmoid", "silu", "tanh"),
)
ACTIVATIONS_BY_KEY: dict[str, str] = {
    **{key: FUNCTIONS[key] for key in _KEYS_LIKE_FUNCTIONS},
    **dict.fromkeys(("gelu_10", "gelu_fast", "gelu_new", "gelu_python", "quick_gelu"), "GELU"),
    **dict.fromkeys(("gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"), "GELU"),
    "linear": "Identity",
    "swish": "SiLU",
}

SHAPE_OPERATIONS = frozenset(
    {
        "view",
        "view_as",
        "reshape",
        "reshape_as",
        "flatten",
        "unflatten",
        "squeeze",
        "unsqueeze",
        "squeeze_",
        "unsqueeze_",
        "permute",
        "transpose",
        "t",
        "movedim",
        "contiguous",
        "expand",
        "expand_as",
        "to",
        "cuda",
        "cpu",
        "float",
        "double",
        "half",
        "bfloat16",
        "type",
        "type_as",
        "clone",
        "requires_grad_",
        "Flatten",
        "Unflatten",
        "Identity",
        "narrow",
        "chunk",
        "repeat",
    }
)
"""Operations that change the shape, the device or the type of a tensor, and no value of it."""

LOSS_FUNCTIONS: dict[str, str] = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "kl_div": "KLDivLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "ctc_loss": "CTCLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
    "cosine_embedding_loss": "CosineEmbeddingLoss",
    "margin_ranking_loss": "MarginRankingLoss",
    "triplet_margin_loss": "TripletMarginLoss",
}
"""Loss functions of ``torch.nn.functional``, by the name of the module."""

LOSS_MODULES = frozenset(LOSS_FUNCTIONS.values())

OPTIMIZER_PARAMETERS: dict[str, tuple[str, ...]] = {
    "SGD": ("params", "lr", "momentum", "dampening", "weight_decay", "nesterov"),
    "Adam": ("params", "lr", "betas", "eps", "weight_decay", "amsgrad"),
    "AdamW": ("params", "lr", "betas", "eps", "weight_decay", "amsgrad"),
    "NAdam": ("params", "lr", "betas", "eps", "weight_decay", "momentum_decay"),
    "RAdam": ("params", "lr", "betas", "eps", "weight_decay"),
    "Adamax": ("params", "lr", "betas", "eps", "weight_decay"),
    "SparseAdam": ("params", "lr", "betas", "eps"),
    "Adagrad": ("params", "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"),
    "Adadelta": ("params", "lr", "rho", "eps", "weight_decay"),
    "RMSprop": ("params", "lr", "alpha", "eps", "weight_decay", "momentum", "centered"),
    "Rprop": ("params", "lr", "etas", "step_sizes"),
    "ASGD": ("params", "lr", "lambd", "alpha", "t0", "weight_decay"),
    "LBFGS": ("params", "lr", "max_iter", "max_eval"),
    "Adafactor": ("params", "lr"),
    "Muon": ("params", "lr", "weight_decay", "momentum", "nesterov"),
}
"""The optimizers of ``torch.optim`` and the parameters by their position."""

SCHEDULER_PARAMETERS: dict[str, tuple[str, ...]] = {
    "StepLR": ("optimizer", "step_size", "gamma"),
    "MultiStepLR": ("optimizer", "milestones", "gamma"),
    "ExponentialLR": ("optimizer", "gamma"),
    "CosineAnnealingLR": ("optimizer", "T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": ("optimizer", "T_0", "T_mult", "eta_min"),
    "LambdaLR": ("optimizer", "lr_lambda"),
    "MultiplicativeLR": ("optimizer", "lr_lambda"),
    "LinearLR": ("optimizer", "start_factor", "end_factor", "total_iters"),
    "ConstantLR": ("optimizer", "factor", "total_iters"),
    "PolynomialLR": ("optimizer", "total_iters", "power"),
    "ReduceLROnPlateau": ("optimizer", "mode", "factor", "patience"),
    "OneCycleLR": ("optimizer", "max_lr", "total_steps", "epochs", "steps_per_epoch"),
    "CyclicLR": ("optimizer", "base_lr", "max_lr", "step_size_up"),
    "SequentialLR": ("optimizer", "schedulers", "milestones"),
    "ChainedScheduler": ("schedulers", "optimizer"),
}
"""The schedulers of ``torch.optim.lr_scheduler`` and their parameters by position."""

LOADER_PARAMETERS = (
    *("dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers"),
    *("collate_fn", "pin_memory", "drop_last", "timeout", "worker_init_fn"),
)
"""The parameters of ``torch.utils.data.DataLoader`` by position."""

_SPELLINGS: dict[str, str] = {
    "torch.cuda.amp.GradScaler": "torch.amp.GradScaler",
    "torch.cuda.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "torch.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "torch.autocast": "torch.amp.autocast",
    "torch.cuda.amp.autocast_mode.autocast": "torch.cuda.amp.autocast",
    "torch.autograd.no_grad": "torch.no_grad",
    "torch.autograd.grad_mode.no_grad": "torch.no_grad",
    "torch.autograd.inference_mode": "torch.inference_mode",
    "torch.nn.utils.clip_grad.clip_grad_norm_": "torch.nn.utils.clip_grad_norm_",
    "torch.nn.utils.clip_grad.clip_grad_value_": "torch.nn.utils.clip_grad_value_",
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
    "torch.utils.data.dataloader.DataLoader": "torch.utils.data.DataLoader",
    "torch.utils.data.distributed.DistributedSampler": "torch.utils.data.DistributedSampler",
    "torch.nn.parallel.distributed.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.DataParallel": "torch.nn.DataParallel",
    "torch.nn.parallel.DataParallel": "torch.nn.DataParallel",
    "torch.special.expit": "torch.sigmoid",
    "torch.functional.F": "torch.nn.functional",
}

_LIGHTNING = ("pytorch_lightning", "lightning.pytorch", "lightning")


def canonical(name: str) -> str:
    """Return the one spelling of a qualified name that has several.

    ``torch.nn.modules.linear.Linear`` is ``torch.nn.Linear``, ``torch.optim.adam.Adam`` is
    ``torch.optim.Adam``, and everything of Lightning, whichever package it comes from, starts with
    ``lightning.``.
    """
    if name.startswith("torch."):
        if name in _SPELLINGS:
            return _SPELLINGS[name]
        if name.startswith("torch.nn.modules."):
            return "torch.nn." + name.rpartition(".")[2]
        if name.startswith("torch.optim.") and not name.startswith("torch.optim.lr_scheduler"):
            return "torch.optim." + name.rpartition(".")[2]
        return name
    for prefix in _LIGHTNING:
        if name.startswith(prefix + "."):
            rest = name[len(prefix) + 1 :]
            return f"lightning.{rest}"
    return name
