"""The layers that a framework lacks, or has in another form: in keras/ and torch/, under the same file names.

Sequences are [N, T, channels] in both. PyTorch's have Keras' names, initialisers and constants.
"""
