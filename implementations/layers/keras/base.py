"""What all our Keras layers have in common: a name to be saved under, and a config."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any  # of the framework below Keras, which has no types
Shape = Any  # sizes, None where one is unknown

register = keras.saving.register_keras_serializable(package="aheadbench")


class Configured(keras.layers.Layer):
    """A layer that is its constructor's arguments and weights."""

    def __init__(self, arguments: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arguments = arguments

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.arguments}


def build(layer: keras.layers.Layer, shape: Shape) -> None:
    """Build a layer for inputs of this shape, as an outer layer does with its inner ones."""
    if not layer.built:  # a loaded one is
        layer.build(shape)
