"""The rank of a layer is a ceiling: what two thin factors can say, and what no training adds.

A layer's weights W are replaced by B C of a low rank, as low-rank adapters do with updates. All
that the layer puts out then lies in the image of B; of an update of W, the part outside that image
is out of reach as long as B stays. Shown on a layer of a network that reads digits, and on
the update that it would need to read them upside down.

    python examples/rank_ceiling.py
"""

import torch
from digits import HIDDEN, accuracy, load, train
from torch import nn

import fastsub


def gradient(network, images, labels):
    """Return the gradient of the loss by the weights of the first layer."""
    network.zero_grad()
    nn.functional.cross_entropy(network(images), labels).backward()
    return network[0].weight.grad.numpy().copy()


def main():
    """Lower the rank of the first layer step by step."""
    images, labels = load()
    network = train(images, labels)
    weight = network[0].weight
    W = weight.detach().numpy().copy()
    update = gradient(network, images.flip(1), labels)
    print(f"W is {W.shape[0]} x {W.shape[1]}, of rank {fastsub.matrix_rank(W)}.\n")
    print("rank   numbers in B, C   of W, within   digits read   of the update, in reach")
    kept = []
    for rank in (1, 2, 4, 8, 12, HIDDEN):
        F = fastsub.low_rank(W, rank=rank)
        B, C = F
        with torch.no_grad():
            weight.copy_(torch.from_numpy(B @ C))
        missed = F.error_norm / torch.from_numpy(W).norm().item()
        inside = F.project_to_image(update)
        share = float((torch.from_numpy(inside).norm() / torch.from_numpy(update).norm()) ** 2)
        read = accuracy(network, images, labels)
        print(f"{rank:4d}   {B.size + C.size:15d}   {missed:12.1%}   {read:11.1%}   {share:23.1%}")
        kept.append(share)
    proof = fastsub.low_rank(W, rank=8).certificate
    print(f"\nNothing of rank 7 comes closer to W than {proof.sigma_r_lower:.2f} (2-norm), proved:")
    print("that is a lower bound of the eighth singular value.")
    return kept


if __name__ == "__main__":
    main()
