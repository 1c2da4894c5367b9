"""The network of an instance: a namespace of its own, and the processes that carry connections over its border."""
