"""What is known of a training, as plain numbers: signals by step, and what they are signals of.

Nothing here knows torch, so rules may ask for it and a recording can be judged anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Signal(StrEnum):
    """The signals, each with what it is a number of and its unit.

    Non-finite values are kept as they are. A signal that has no meaning for a layer or parameter,
    or could not be measured, is absent; it is never 0 for want of a value.
    """

    # --- of a parameter, on measured steps; gradients are those that the optimizer is given:
    # unscaled, after clipping.
    GRADIENT_NORM = "gradient_norm"
    """The 2-norm of the gradient."""
    GRADIENT_RMS = "gradient_rms"
    """The root mean square of the gradient's elements."""
    GRADIENT_MAX = "gradient_max"
    """The largest absolute element of the gradient; of a fixed sample of 65,536 where it has more."""
    GRADIENT_NON_FINITE = "gradient_non_finite"
    """How many elements of the gradient are NaN or infinite; estimated on a GPU."""
    GRADIENT_ZERO = "gradient_zero"
    """The share of the gradient's elements that are exactly 0, of a fixed sample."""
    GRADIENT_MISSING = "gradient_missing"
    """1 if the parameter has no gradient (None) at the optimizer's step, else 0."""
    GRADIENT_NORM_BEFORE = "gradient_norm_before"
    """The 2-norm at the end of the last backward: unscaled, before clipping."""
    GRADIENT_CUT = "gradient_cut"
    """The share of elements that clipping by value cut, of a fixed sample."""
    STALE_GRADIENT = "stale_gradient"
    """The 2-norm of what lay in `.grad` before the first backward of the step, 0 if it was cleared."""
    GRADIENT_UNDERFLOW = "gradient_underflow"
    """Half precision: the share of elements that are 0 or below 6e-8 after unscaling."""
    WEIGHT_NORM = "weight_norm"
    """The 2-norm of the parameter before the update."""
    WEIGHT_RMS = "weight_rms"
    """The root mean square of the parameter's elements before the update."""
    UPDATE_RMS = "update_rms"
    """The root mean square of the change that the optimizer made, of a fixed sample of elements."""
    UPDATE_RATIO = "update_ratio"
    """`UPDATE_RMS` over the RMS of the same elements before the update; absent while those are 0."""
    UNCHANGED = "unchanged"
    """The share of sampled elements that are the same to the bit after the update."""
    ROUNDED_AWAY = "rounded_away"
    """Half-precision weights: the share of elements with a gradient that the update left unchanged."""
    SECOND_MOMENT = "second_moment"
    """Adam: the median over the sample of sqrt(v), bias-corrected: what eps is added to."""
    ADAM_UPDATE = "adam_update"
    """Adam: `UPDATE_RMS` without decay over the learning rate; about 1 at most when healthy."""
    DECAY_RATIO = "decay_ratio"
    """The RMS of weight decay's part of the update over that of the gradient's part."""
    SIMILAR_ROWS = "similar_rows"
    """The share of a weight's rows (units) that are like another to a cosine over 0.999."""

    # --- of a layer (a module or a call of a function in a forward), on measured steps; of a sample
    # of 8,192 elements where there are more, with every unit
    MEAN = "mean"
    """The mean of the output."""
    RMS = "rms"
    """The root mean square of the output."""
    VARIANCE = "variance"
    """The variance of the output over all its elements."""
    INPUT_RMS = "input_rms"
    """The root mean square of the first floating-point input."""
    INPUT_VARIANCE = "input_variance"
    """Its variance over all its elements."""
    LARGEST = "largest"
    """The largest absolute element of those looked at."""
    ZERO = "zero"
    """The share of the output's elements that are exactly 0."""
    NEGATIVE = "negative"
    """Activations: the share of the input's elements (pre-activations) that are negative."""
    DEAD_UNITS = "dead_units"
    """ReLU-like: the share of units (conv: channels) that were 0 for every sample of the window,
    the last ten measured steps, or as many as it takes to see 1,000 values of each unit."""
    WINDOW_STEPS = "window_steps"
    """How many measured steps that window holds so far, 100 at most."""
    WINDOW_SAMPLES = "window_samples"
    """How many values of each unit were seen in that window."""
    SATURATED = "saturated"
    """Saturating activations: the share of outputs in the flat part (tanh abs > 0.97, sigmoid < 0.03
    or > 0.97, hard variants at their ends; softmax inside the network: rows with an entropy under
    1 % of the largest possible)."""
    SATURATED_UNITS = "saturated_units"
    """The share of units all of whose outputs in this step lie in the flat part."""
    BATCH_VARIANCE = "batch_variance"
    """The variance of the output over the batch, over the mean square of the output; 0 where all
    inputs look the same."""
    NON_FINITE = "non_finite"
    """How many of the looked-at elements of the output are NaN or infinite; at least 1 where any is."""
    NON_FINITE_INPUT = "non_finite_input"
    """The same for the floating-point inputs."""
    HALF_OVERFLOW = "half_overflow"
    """float16 outputs: the share of elements beyond 6e4."""
    OUTPUT_GRADIENT_RMS = "output_gradient_rms"
    """The root mean square of the loss's gradient with respect to the output; scaled by a GradScaler's
    scale where there is one, for its value is not known yet."""
    OUTPUT_GRADIENT_VARIANCE = "output_gradient_variance"
    """Its variance over all its elements."""
    ATTENTION_ENTROPY = "attention_entropy"
    """Attention: the mean entropy of a query's weights over the largest possible (log of keys seen)."""
    ATTENTION_LOGIT = "attention_logit"
    """Attention: the largest absolute logit, before softmax; of a sample of queries."""
    TRAINING = "training"
    """Dropout and batch norm: 1 if the module is in training mode when it runs, else 0; under the empty
    name the same for the model as a whole."""
    NORM_SAMPLES = "norm_samples"
    """Batch norm: how many values each channel's statistics were computed from."""
    NORM_DRIFT = "norm_drift"
    """Batch norm: the share of channels whose running mean lies over 3 standard deviations of the
    batch from the batch's mean."""
    NORM_UPDATES = "norm_updates"
    """Batch norm: how often the running statistics were updated (`num_batches_tracked`)."""
    CALLS = "calls"
    """How often the layer ran in the step; of the first four calls the others are the mean (of
    counts and largest values the largest)."""

    # --- of the run, on every step
    LOSS = "loss"
    """The loss that was given to `backward` (the mean, where it was several times in a step), that the
    watched criterion returned, or that was logged, in rising priority; unscaled."""
    LEARNING_RATE = "learning_rate"
    """The largest learning rate of the optimizers' groups."""
    STEP_SECONDS = "step_seconds"
    """The time since the step before, without the monitor's own part, in seconds."""
    WAIT_SECONDS = "wait_seconds"
    """The part of it that was spent waiting for the next batch of a DataLoader."""
    SKIPPED = "skipped"
    """How many steps a GradScaler has skipped so far."""
    LOSS_SCALE = "loss_scale"
    """The scale of the GradScaler; only known on measured steps."""

    # --- of the run, on measured steps
    OWN_SECONDS = "own_seconds"
    """The monitor's own time so far, in seconds."""
    RUN_SECONDS = "run_seconds"
    """The time since the monitor was attached, in seconds."""
    BATCH_SIZE = "batch_size"
    """The length of the first dimension of the model's first tensor input."""
    MICRO_BATCHES = "micro_batches"
    """How often `backward` ran in the step."""
    TOTAL_NORM = "total_norm"
    """The 2-norm of all gradients together, as the optimizer is given them."""
    TOTAL_NORM_BEFORE = "total_norm_before"
    """The same before clipping."""
    CLIPPED = "clipped"
    """1 if the gradients were clipped between the last backward and the step, else 0."""
    REWRITTEN = "rewritten"
    """1 if the gradients were written to in place between the last backward and the step, as clipping
    does even where it cuts nothing, else 0; absent with a GradScaler, which unscales in place."""
    NOISE_SCALE = "noise_scale"
    """The simple gradient noise scale (McCandlish 2018) in batches, those of a whole step, smoothed."""
    MEMORY = "memory"
    """The resident memory of the process in bytes, without the files that are mapped into it."""
    DEVICE_MEMORY = "device_memory"
    """The memory that is allocated on the device in bytes."""
    CLASSES = "classes"
    """The number of classes of a cross entropy, where the loss is one."""
    CLASS_LOSS = "class_loss"
    """The mean cross entropy itself, in nats, without weights, smoothing and whatever was added."""
    PROBABILITY_INPUT = "probability_input"
    """The share of rows of a logits loss's input that are probabilities: in [0, 1], summing to 1 for a
    cross entropy, in [0, 1] and the output of a sigmoid for a binary one."""
    BROADCAST = "broadcast"
    """1 if the input and the target of an element-wise loss have shapes such as (N, 1) and (N,)."""
    OUTPUT_VARIANCE = "output_variance"
    """The variance of the prediction over the batch, over its mean square about the overall mean."""
    PREDICTED_SHARE = "predicted_share"
    """The share of the examples that get the class that is predicted most."""
    TARGET_SHARE = "target_share"
    """The share of the examples that have the most frequent label."""
    INPUT_OFFSET = "input_offset"
    """The model's float input: the largest abs(mean) / std over its features (channels)."""
    INPUT_STD = "input_std"
    """The standard deviation over all elements of the input."""
    INPUT_SPREAD = "input_spread"
    """The largest over the smallest non-zero standard deviation of its features."""
    INPUT_CONSTANT = "input_constant"
    """The share of its features that have not varied since the run began."""
    INPUT_FINGERPRINT = "input_fingerprint"
    """A number that is the same for equal batches and nearly surely differs for others."""
    OUTPUT_CHANGE = "output_change"
    """The RMS of the difference between the outputs of two unequal batches of one shape, over their
    RMS."""
    RANK_DIFFERENCE = "rank_difference"
    """Distributed: the largest relative difference between ranks of what should be equal."""
    RANK_NON_FINITE = "rank_non_finite"
    """Distributed: the first rank whose loss or gradients are not finite; absent where all are."""
    RANK_SLOWEST = "rank_slowest"
    """Distributed: the slowest rank's step time over the ranks' median."""

    # --- of the run, whenever they are logged; other metrics are called `metric/<name>`.
    VALIDATION_LOSS = "val_loss"
    """The loss on validation data, as it was logged."""
    EPOCH = "epoch"
    """The epoch, where it was logged; else how often the data of the training batches had been begun by
    a DataLoader before, from the second time on."""


METRIC: Final = "metric/"
"""What the name of a logged metric begins with that is no signal of ours."""

_NOWHERE: Final[Mapping[str, float]] = MappingProxyType({})


class Activation(StrEnum):
    """The kinds of activation that a rule may ask for."""

    RELU = "relu"
    RELU6 = "relu6"
    LEAKY_RELU = "leaky_relu"
    PRELU = "prelu"
    RRELU = "rrelu"
    ELU = "elu"
    SELU = "selu"
    CELU = "celu"
    GELU = "gelu"
    SILU = "silu"
    MISH = "mish"
    SOFTPLUS = "softplus"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    HARDTANH = "hardtanh"
    HARDSIGMOID = "hardsigmoid"
    HARDSWISH = "hardswish"
    SOFTSIGN = "softsign"
    LOGSIGMOID = "logsigmoid"
    SOFTMAX = "softmax"
    GLU = "glu"


SATURATING: Final = frozenset(
    {Activation.TANH, Activation.SIGMOID, Activation.HARDTANH, Activation.HARDSIGMOID}
)
"""The activations that are flat at both ends."""
RECTIFYING: Final = frozenset({Activation.RELU, Activation.RELU6})
"""The activations that are exactly 0 for negative inputs: the ones whose units can die."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The line of the user's code at which something is made."""

    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """The subject of what is said about the whole training; it stands where it is watched."""

    origin: Origin = Origin()
    name: str = ""
    what: str = ""

    @property
    def path(self) -> str:
        """The file in which the training is watched."""
        return self.origin.path

    @property
    def line(self) -> int:
        """The line on which it is watched."""
        return self.origin.line


@dataclass(frozen=True, slots=True)
class Layer:
    """A module without children, or a call of a function such as `F.relu` in a module's forward."""

    name: str
    """Its path in the model: `encoder.fc1`; a function's is the path of the module whose forward calls
    it, a colon, and the function, numbered from its second place on (another line, or behind another
    module): `encoder:relu_2`; or the function alone, where the model itself calls it."""
    kind: str
    """The class of the module or the name of the function: `Linear`, `relu`."""
    depth: int
    """Its place in the order of the forward pass, from 0."""
    size: str = ""
    """Its shape, as a person would say it: `256→256`, `3→64, 3×3`; nothing where it has none."""
    activation: Activation | None = None
    """What activation it is, if it is one."""
    followed_by: Activation | None = None
    """The activation that takes its output, directly or through a normalisation or dropout; for layers
    with weights."""
    weight: str = ""
    """The name of its weight (a parameter with two dimensions or more), where it has one."""
    fan_in: int = 0
    fan_out: int = 0
    """Of that weight, as `torch.nn.init` computes them; 0 where there is none."""
    is_norm: bool = False
    is_recurrent: bool = False
    is_output: bool = False
    """Whether nothing with a weight comes after it: its output is the model's prediction."""
    origin: Origin = Origin()
    """The line where the module is made or the function is called."""

    @property
    def what(self) -> str:
        """What it is, as a person would say it: `Linear 256→256`."""
        return f"{self.kind} {self.size}".rstrip()

    @property
    def path(self) -> str:
        """The file in which it is made."""
        return self.origin.path

    @property
    def line(self) -> int:
        """The line on which it is made."""
        return self.origin.line


class Role(StrEnum):
    """What a parameter is to its layer."""

    WEIGHT = "weight"
    """Of two dimensions or more, in a linear, convolutional, recurrent or similar layer."""
    BIAS = "bias"
    NORM = "norm"
    """The scale or shift of a normalisation."""
    EMBEDDING = "embedding"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the model."""

    name: str
    """As `named_parameters` calls it: `encoder.fc1.weight`."""
    layer: str
    """The path of the module that it belongs to."""
    kind: str
    """The class of that module."""
    shape: tuple[int, ...]
    role: Role
    depth: int = -1
    """The depth of its layer in the forward pass; -1 while that has not run."""
    trainable: bool = True
    """Whether it requires a gradient."""
    optimizer: int = -1
    """The index of the optimizer that has it; -1 where none does."""
    learning_rate: float = 0.0
    """That of its group, at the time of the step."""
    weight_decay: float = 0.0
    dtype: str = "float32"
    is_sparse: bool = False
    """Whether its gradient is sparse."""
    origin: Origin = Origin()

    @property
    def elements(self) -> int:
        """How many elements it has."""
        product = 1
        for one in self.shape:
            product *= one
        return product

    @property
    def what(self) -> str:
        """What it is, as a person would say it: `weight of Linear, 256×128`."""
        last = self.name.rpartition(".")[2]
        return f"{last} of {self.kind}, {'×'.join(map(str, self.shape)) or 'one number'}"

    @property
    def path(self) -> str:
        """The file in which its layer is made."""
        return self.origin.path

    @property
    def line(self) -> int:
        """The line on which its layer is made."""
        return self.origin.line


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer, with the settings of its first group."""

    kind: str
    """Its class: `SGD`, `AdamW`."""
    learning_rate: float = 0.0
    momentum: float = 0.0
    """SGD's or RMSprop's momentum, Adam's beta1."""
    beta2: float = 0.0
    """Adam's beta2, RMSprop's alpha; 0 where there is none."""
    eps: float = 0.0
    weight_decay: float = 0.0
    decoupled: bool = False
    """Whether the decay is applied to the weights themselves, as by AdamW."""
    has_state: bool = False
    """Whether it had made steps before it was watched: the training goes on where another ended."""

    @property
    def is_adaptive(self) -> bool:
        """Say whether it divides each gradient by its own scale."""
        return self.beta2 > 0 or self.kind in {"Adagrad", "Adadelta", "Adamax", "Adafactor"}


@dataclass(frozen=True)
class Facts:
    """What a training is made of; a new one is made when something of it changes."""

    layers: tuple[Layer, ...] = ()
    """In the order of the forward pass; those that have not run yet are not there."""
    parameters: tuple[Parameter, ...] = ()
    """In the order of `named_parameters`."""
    optimizers: tuple[Optimizer, ...] = ()
    run: Run = field(default_factory=Run)
    alternates: bool = False
    """Whether several optimizers take turns on losses of their own, as in a GAN."""
    plays: bool = False
    """Whether an environment of reinforcement learning is at hand, which makes the data as it goes."""
    ranks: int = 1
    workers: int = 0
    """The most workers that a `DataLoader` of the training has."""

    @property
    def need_not_fall(self) -> bool:
        """Say whether the loss need not fall though all is well: that of a game, or of a policy."""
        return self.alternates or self.plays

    @cached_property
    def layer(self) -> Mapping[str, Layer]:
        """The layers by their names."""
        return {one.name: one for one in self.layers}

    @cached_property
    def parameter(self) -> Mapping[str, Parameter]:
        """The parameters by their names."""
        return {one.name: one for one in self.parameters}

    def before(self, layer: Layer) -> Layer | None:
        """Return the layer with a weight that comes next before a layer in the forward pass."""
        found = None
        for one in self.layers:
            if one.depth >= layer.depth:
                break
            if one.weight and not one.is_norm:
                found = one
        return found


@dataclass(frozen=True)
class Step:
    """What is known of one optimizer step."""

    number: int
    """Counted from 1."""
    facts: Facts
    signals: Mapping[str, Mapping[str, float]]
    """By the name of the signal and of the layer or parameter; those of the run have an empty name."""
    is_measured: bool = True
    time: float = 0.0
    """Seconds since the monitor was attached."""

    def of(self, signal: str) -> Mapping[str, float]:
        """Return the values of a signal by layer or parameter; nothing where it was not measured."""
        return self.signals.get(signal, _NOWHERE)

    def run(self, signal: str) -> float | None:
        """Return the value of a signal of the run, or None where it is not known."""
        return self.signals.get(signal, _NOWHERE).get("")

    def has(self, signals: Iterable[str]) -> bool:
        """Say whether all of some signals are known."""
        return all(one in self.signals for one in signals)

    def trained(self, signal: str) -> Iterator[tuple[Parameter, float]]:
        """Yield the values of a signal for the parameters that an optimizer is to change.

        Frozen ones and those whose learning rate is 0 are left out.
        """
        for name, value in self.of(signal).items():
            parameter = self.facts.parameter.get(name)
            if (
                parameter is not None
                and parameter.trainable
                and parameter.optimizer >= 0
                and parameter.learning_rate > 0
            ):
                yield parameter, value

    def layers(self, signal: str) -> Iterator[tuple[Layer, float]]:
        """Yield the values of a signal for the layers, in the order of the forward pass."""
        values = self.of(signal)
        for layer in self.facts.layers:
            if layer.name in values:
                yield layer, values[layer.name]
