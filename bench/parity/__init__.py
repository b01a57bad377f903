"""The same numbers in every framework. Each engine probes its networks in a separate process; a third compares.

probe       in the engine's process: weights in one layout, each layer's outputs, the loss, a gradient, ten SGD steps
weights     PyTorch's weights as Keras keeps them, by layer type
compare     how far two engines' arrays are apart, and the first layer where they are too far
run         starts the probes, one for each engine; yields the verdicts
"""
