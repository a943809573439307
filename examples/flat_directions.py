"""Flat directions of a trained network: parameters that move, predictions that do not.

The Jacobian J of what a network predicts for 50 images by its 1210 parameters has a null space: to
first order, a step along it changes no prediction. Here J is never formed: fastsub multiplies by it
and by its transpose (forward and reverse mode of PyTorch), and says how often.

    python examples/flat_directions.py
"""

import numpy as np
import torch
from digits import accuracy, load, train
from torch.func import functional_call, jvp, vjp, vmap

import fastsub

IMAGES = 50


def jacobian(predict, theta):
    """Return the map from a change of the parameters to that of the predictions."""

    def forward(v):
        return jvp(predict, (theta,), (v,))[1]

    outputs, backward = vjp(predict, theta)
    return fastsub.jacobian(
        vmap(forward, in_dims=1, out_dims=1),
        vmap(lambda u: backward(u)[0], in_dims=1, out_dims=1),
        shape=(outputs.numel(), theta.numel()),
        like=theta,
        blocks=True,
    )


def flatten(network):
    """Return all parameters in one vector."""
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()])


def predictions(network, images):
    """Return the function from that vector to the probabilities of all digits for all images."""
    shapes = {name: p.shape for name, p in network.named_parameters()}

    def predict(theta):
        parts = theta.split([shape.numel() for shape in shapes.values()])
        params = {
            name: part.view(shape)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }
        return functional_call(network, params, (images,)).softmax(dim=1).reshape(-1)

    return predict


def changes(predict, theta, direction, steps):
    """Return how far the predictions move when the parameters go that far along a direction."""
    direction = torch.from_numpy(direction)
    start = predict(theta)
    return [float((predict(theta + t * direction) - start).norm()) for t in steps]


def main():
    """Train, find the flat directions, walk along one of them."""
    images, labels = load()
    network = train(images, labels)
    print(f"The network reads {accuracy(network, images, labels):.1%} of its images right.\n")

    theta = flatten(network)
    predict = predictions(network, images[:IMAGES])
    J = jacobian(predict, theta)
    F = fastsub.fundamental_subspaces(J)
    m, n = J.shape
    print(f"{n} parameters, {m} predictions (10 probabilities for each of {IMAGES} images)")
    print(f"{F}\n{F.certificate.explain()}\n")
    print(f"Flat: {F.null_space.dim} directions in which no prediction changes to first order.")
    print(f"Unreachable: {F.left_null_space.dim} combinations of predictions that never change;")
    sums = np.kron(np.eye(IMAGES), np.ones((10, 1)))
    off = F.left_null_space.distance(sums / np.sqrt(10)).max()
    print(f"the sums of the probabilities of one image are among them, to {off:.0e}.\n")

    any_direction = np.random.default_rng(2718).standard_normal(n)
    flat, steep = (V.project(any_direction) for V in (F.null_space, F.row_space))
    flat, steep = flat / np.linalg.norm(flat), steep / np.linalg.norm(steep)
    steps = [2.0**-k for k in range(1, 9)]
    print("How far the predictions move (and how much further than at the next step):\n")
    print("    step     along a flat one     along a steep one")
    a, b = (changes(predict, theta, d, steps) for d in (flat, steep))
    for k, step in enumerate(steps[:-1]):
        print(
            f"{step:8.4f}     {a[k]:.2e} ({a[k] / a[k + 1]:.2f}x)     "
            f"{b[k]:.2e} ({b[k] / b[k + 1]:.2f}x)"
        )
    print("\nHalf the step: a quarter of the change along the flat one, for only the second")
    print("derivative is left; half of it along the steep one.")
    return a, b


if __name__ == "__main__":
    main()
