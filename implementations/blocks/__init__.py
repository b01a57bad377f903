"""The layers that a framework lacks, or has in another form: keras.py and torch.py, the same layers in the same layout.

Sequences are [N, T, channels] in both. PyTorch's have Keras' names, initialisers and constants.
"""
