"""Configuration files of training: read with positions, recognised, and asked like code.

A configuration stands for a piece of a program: ``_target_: torch.optim.SGD`` with ``lr: 0.1`` is a
call of ``torch.optim.SGD``. The text is read into values that know where they stand (``values``,
``yaml_text``, ``json_text``, ``toml_text``), what constructs or configures something of a training is
recognised (``recognise``, ``flavours``), and from that a syntax tree is made whose nodes stand at the
places of the file (``program``). So a rule asks the same questions as of code (``file.optimizers()``,
``optimizer.given("lr")``) and marks the line of the configuration; rules say that they can judge such a
file by ``Rule(..., judges_configs=True)``.
"""
